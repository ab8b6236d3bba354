/**
 * The distributed time server: several processes tell the time, and a client that knows none of them
 * in advance asks one at random. Who is there stands in ZooKeeper: each server registers its address
 * as an ephemeral znode, which vanishes when the server dies.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { connect, type ZooKeeper } from 'zoowire'
import { runIfMain, sessionTimeout, type Stage, type Step } from './support.ts'

const directory = '/time-servers'
const serverProgram = fileURLToPath(new URL('time-server-process.ts', import.meta.url))

export const timeServer: Step = {
  title: 'The distributed time server',

  async run(stage) {
    const { connectString, say } = stage
    const zk = await connect(connectString, { sessionTimeout })
    const servers: TimeServerProcess[] = []
    try {
      await zk.create(directory)
      for (let i = 0; i < 3; i++) servers.push(await startServer(stage))
      await untilRegistered(zk, (addresses) => addresses.length === 3)
      await askSixTimes(zk, say)

      const victim = servers[0]!
      say(`the server at ${victim.address} dies`)
      victim.kill()
      await untilRegistered(zk, (addresses) => !addresses.includes(victim.address))
      say('its session has expired, and its address is gone')
      await askSixTimes(zk, say)

      const newcomer = await startServer(stage)
      servers.push(newcomer)
      await untilRegistered(zk, (addresses) => addresses.includes(newcomer.address))
      await askSixTimes(zk, say)
    } finally {
      for (const server of servers) server.kill()
      await zk.close()
    }
  },
}

interface TimeServerProcess {
  readonly address: string
  kill(): void
}

/** Starts a server in a process of its own, which ends only by being killed. */
async function startServer({ connectString, say }: Stage): Promise<TimeServerProcess> {
  const child: ChildProcess = spawn(
    process.execPath,
    [...process.execArgv, serverProgram, connectString, directory],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string]
  say(`a server joins: ${line}`)
  return {
    address: line,
    kill: () => {
      child.kill('SIGKILL')
    },
  }
}

/** Resolves as soon as the list of registered addresses satisfies `isEnough`. */
async function untilRegistered(
  zk: ZooKeeper,
  isEnough: (addresses: readonly string[]) => boolean,
): Promise<void> {
  const watch = zk.watch(directory)
  try {
    await watch.ready
    for (;;) {
      const { children } = await zk.getChildren(directory)
      if (isEnough(children)) return
      await watch.next()
    }
  } finally {
    await watch.return()
  }
}

async function askSixTimes(zk: ZooKeeper, say: Stage['say']): Promise<void> {
  for (let i = 0; i < 6; i++) {
    const { children } = await zk.getChildren(directory)
    const address = children[Math.floor(Math.random() * children.length)]
    if (address === undefined) throw new Error('no time server is registered')
    say(`  ${address} says ${await askTime(address)}`)
  }
}

/** One request: the server writes the time and hangs up. */
async function askTime(address: string): Promise<string> {
  const [host = '', port = ''] = address.split(':')
  const socket = connectSocket(Number(port), host)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await once(socket, 'end')
  return text
}

runIfMain(import.meta.url, timeServer)
