/**
 * The distributed time server: several processes tell the time, and a client that knows none of them
 * in advance asks one at random. Who is there stands in the registry; a server that dies is taken out
 * of it when its session ends.
 */
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { connect } from 'zoowire'
import { type ServiceInstance, type ServiceProvider, ServiceRegistry } from 'zoowire/recipes'
import { Program } from './processes.ts'
import { runIfMain, sessionTimeout, type Stage, type Step } from './support.ts'

export const timeServer: Step = {
  title: 'The distributed time server',

  async run(stage) {
    const { connectString, say } = stage
    const zk = await connect(connectString, { sessionTimeout })
    const servers: TimeServer[] = []
    try {
      const provider = await new ServiceRegistry(zk, '/services').discover('time')
      for (let i = 0; i < 3; i++) servers.push(await startServer(stage))
      await until(provider, (instances) => instances.length === 3)
      await askSixTimes(provider, say)

      const victim = servers[0]!
      say(`the server at ${victim.address} dies`)
      victim.program.kill()
      await until(
        provider,
        (instances) => !instances.some((one) => addressOf(one) === victim.address),
      )
      say('its session has expired, and it is out of the registry')
      await askSixTimes(provider, say)

      const newcomer = await startServer(stage)
      servers.push(newcomer)
      await until(provider, (instances) => instances.length === 3)
      await askSixTimes(provider, say)
    } finally {
      for (const { program } of servers) program.kill()
      await zk.close()
    }
  },
}

interface TimeServer {
  readonly program: Program
  readonly address: string
}

async function startServer({ connectString, say }: Stage): Promise<TimeServer> {
  const program = new Program('time-server-process', connectString)
  const address = await program.line()
  say(`a server joins: ${address}`)
  return { program, address }
}

/** Resolves as soon as the registry says what we wait for. */
async function until(
  provider: ServiceProvider,
  isEnough: (instances: readonly ServiceInstance[]) => boolean,
): Promise<void> {
  const changes = provider.changes()
  while (!isEnough(provider.instances)) await changes.next()
  await changes.return()
}

async function askSixTimes(provider: ServiceProvider, say: Stage['say']): Promise<void> {
  for (let i = 0; i < 6; i++) {
    const instance = provider.pick()
    if (instance === null) throw new Error('no time server is registered')
    say(`  ${addressOf(instance)} says ${await askTime(instance)}`)
  }
}

/** One request: the server writes the time and hangs up. */
async function askTime({ address, port }: ServiceInstance): Promise<string> {
  const socket = connectSocket(port, address)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await once(socket, 'end')
  return text
}

function addressOf({ address, port }: ServiceInstance): string {
  return `${address}:${port}`
}

runIfMain(import.meta.url, timeServer)
