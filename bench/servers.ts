import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { connect, isZooKeeperError } from 'zoowire'
import { fourLetterWord } from '../test/support/four-letter-word.ts'
import { ZooKeeperServer } from '../test/support/zookeeper-server.ts'
import { benchPath } from './plan.ts'

/** A server to measure against. */
export interface BenchServer extends AsyncDisposable {
  readonly name: string
  readonly host: string
  readonly port: number
  /** How many requests it has seen since it started; null if it does not tell. */
  requests(): Promise<number | null>
}

/** The compiled programs: they run without a loader. */
export function program(name: string): string {
  return fileURLToPath(new URL(`dist/bench/${name}.js`, import.meta.url))
}

export async function startNullServer(valueBytes: number): Promise<BenchServer> {
  const child: ChildProcess = fork(program('null-server'), [`${valueBytes}`], { execArgv: [] })
  const ask = async () => ((await once(child, 'message')) as [number])[0]
  const port = await ask()
  return {
    name: 'null server',
    host: '127.0.0.1',
    port,
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

/** A fresh Apache ZooKeeper, or the one at `ZOOKEEPER=host:port`; with the znode of the bench. */
export async function startZooKeeper(valueBytes: number): Promise<BenchServer> {
  const address = process.env.ZOOKEEPER
  if (address === undefined) {
    const server = await ZooKeeperServer.start({ tickTimeMs: 2_000 })
    await putValue(server.connectString, valueBytes)
    return {
      name: `Apache ZooKeeper ${server.version}`,
      host: '127.0.0.1',
      port: server.port,
      requests: () => requestsReceived(server.port),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  }
  await putValue(address, valueBytes)
  const { hostname, port } = new URL(`zk://${address}`)
  return {
    name: `Apache ZooKeeper at ${address}`,
    host: hostname,
    port: Number(port),
    requests: () => Promise.resolve(null),
    async [Symbol.asyncDispose]() {},
  }
}

async function putValue(connectString: string, valueBytes: number): Promise<void> {
  const zk = await connect(connectString)
  const value = Buffer.alloc(valueBytes, 'x')
  try {
    await zk.create(benchPath, value)
  } catch (error) {
    if (!isZooKeeperError(error) || error.code !== 'NODE_EXISTS') throw error
    await zk.setData(benchPath, value)
  } finally {
    await zk.close()
  }
}

async function requestsReceived(port: number): Promise<number | null> {
  const received = /^Received: (\d+)/m.exec(await fourLetterWord(port, 'srvr'))
  return received === null ? null : Number(received[1])
}
