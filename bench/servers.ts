import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { sum } from 'simple-statistics'
import { connect, isZooKeeperError, type ZooKeeper } from 'zoowire'
import { fourLetterWord } from '../test/support/four-letter-word.ts'
import { ZooKeeperEnsemble } from '../test/support/zookeeper-ensemble.ts'
import { ZooKeeperServer } from '../test/support/zookeeper-server.ts'
import { benchPath, lockPath } from './plan.ts'

/** A server to measure against. */
export interface BenchServer extends AsyncDisposable {
  readonly name: string
  /** `host:port` of each; the first is the one that requests go to. */
  readonly hosts: readonly string[]
  /** How many requests it has seen since it started; null if it does not tell. */
  requests(): Promise<number | null>
}

/** The compiled programs: they run without a loader. */
export function program(name: string): string {
  return fileURLToPath(new URL(`dist/bench/${name}.js`, import.meta.url))
}

export const serverKinds = ['null', 'in-process', 'zookeeper', 'ensemble'] as const
export type ServerKind = (typeof serverKinds)[number]

export function startServer(kind: ServerKind, valueBytes: number): Promise<BenchServer> {
  return starters[kind](valueBytes)
}

const starters: Record<ServerKind, (valueBytes: number) => Promise<BenchServer>> = {
  null: (valueBytes) => startProgram('null server', 'null-server', `${valueBytes}`),

  async 'in-process'(valueBytes) {
    const server = await startProgram('in-process server', 'test-server')
    await prepare(server.hosts[0]!, valueBytes)
    return server
  },

  /** A fresh Apache ZooKeeper, or the one at `ZOOKEEPER=host:port`. */
  async zookeeper(valueBytes) {
    const address = process.env.ZOOKEEPER
    if (address === undefined) {
      const server = await ZooKeeperServer.start({ tickTimeMs: 2_000 })
      await prepare(server.connectString, valueBytes)
      return {
        name: `Apache ZooKeeper ${server.version}`,
        hosts: [server.connectString],
        requests: () => requestsReceived([server.port]),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      }
    }
    await prepare(address, valueBytes)
    return {
      name: `Apache ZooKeeper at ${address}`,
      hosts: [address],
      requests: () => Promise.resolve(null),
      async [Symbol.asyncDispose]() {},
    }
  },

  /** Three members on this machine. The one that gets the requests is a follower. */
  async ensemble(valueBytes) {
    const ensemble = await ZooKeeperEnsemble.start({ tickTimeMs: 2_000 })
    await prepare(ensemble.connectString, valueBytes)
    const members = [...(await ensemble.followers()), await ensemble.leader()]
    return {
      name: `three of Apache ZooKeeper ${ensemble.version}`,
      hosts: members.map(({ connectString }) => connectString),
      requests: () => requestsReceived(members.map(({ port }) => port)),
      [Symbol.asyncDispose]: () => ensemble[Symbol.asyncDispose](),
    }
  },
}

/** A server that is a program of ours: it tells its port, and then how many requests it has seen. */
async function startProgram(name: string, file: string, ...args: string[]): Promise<BenchServer> {
  const child: ChildProcess = fork(program(file), args, { execArgv: [] })
  const ask = async () => ((await once(child, 'message')) as [number | null])[0]
  const port = await ask()
  return {
    name,
    hosts: [`127.0.0.1:${port}`],
    requests() {
      const answer = ask()
      child.send('requests?')
      return answer
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

/** Makes the znodes of the bench. */
async function prepare(connectString: string, valueBytes: number): Promise<void> {
  const zk = await connect(connectString)
  const value = Buffer.alloc(valueBytes, 'x')
  try {
    await put(zk, benchPath, value)
    await put(zk, lockPath, value)
  } finally {
    await zk.close()
  }
}

async function put(zk: ZooKeeper, path: string, value: Buffer): Promise<void> {
  try {
    await zk.create(path, value)
  } catch (error) {
    if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error
    await zk.setData(path, value)
  }
}

async function requestsReceived(ports: readonly number[]): Promise<number | null> {
  const answers = await Promise.all(ports.map((port) => fourLetterWord(port, 'srvr')))
  const received = answers.map((answer) => /^Received: (\d+)/m.exec(answer)?.[1])
  return received.includes(undefined) ? null : sum(received.map(Number))
}
