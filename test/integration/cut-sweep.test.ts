import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, isZooKeeperError, READ_ACL_UNSAFE, type ZooKeeper } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'

// A1 to A3 on real sockets: a server that closes the connection behind every single byte of the
// handshake, and of the request and the reply of each operation. `unit/session/cut-offsets.test.ts` does
// so without sockets, for every operation of the table.

const options = { backoff: { msMin: 0.1, msMax: 0.1 }, sessionTimeout: 60_000 }
const handshakeRequest = 4 + 45
const handshakeAnswer = 4 + 37

describe('A1: a handshake', () => {
  test.each([
    ['to-server', handshakeRequest],
    ['to-client', handshakeAnswer],
  ] as const)('that is cut at any byte %s is done again', async (direction, length) => {
    await using server = await TestServer.start()
    for (let bytes = 0; bytes < length; bytes++) {
      const fault = server.faults.add({ do: 'cut', bytes, direction, operation: 'accept' })
      const zk = await connect(server.connectString, options)
      expect([fault.hits, zk.stats().sessions]).toEqual([1, 1])
      expect(server.sessions.find(({ id }) => id === zk.session.id)?.connected).toBe(true)
      await zk.close()
    }
  })
})

interface Swept {
  /** As ZooKeeper names it. */
  readonly operation: string
  readonly call: (zk: ZooKeeper, path: string) => Promise<unknown>
  /** Whether what the call does is done; left out for reads. */
  readonly isDone?: (server: TestServer, path: string) => boolean
}

const swept: readonly Swept[] = [
  {
    operation: 'create2',
    call: (zk, path) => zk.create(`${path}/a`, 'x'),
    isDone: (server, path) => server.get(`${path}/a`) !== null,
  },
  {
    operation: 'createContainer',
    call: (zk, path) => zk.create(`${path}/a`, 'x', { mode: 'container' }),
    isDone: (server, path) => server.get(`${path}/a`) !== null,
  },
  {
    operation: 'createTTL',
    call: (zk, path) => zk.create(`${path}/a`, 'x', { mode: 'persistent-with-ttl', ttl: 60_000 }),
    isDone: (server, path) => server.get(`${path}/a`) !== null,
  },
  {
    operation: 'setData',
    call: (zk, path) => zk.setData(path, 'x'),
    isDone: (server, path) => server.get(path)?.stat.version === 1,
  },
  {
    operation: 'setACL',
    call: (zk, path) => zk.setACL(path, READ_ACL_UNSAFE),
    isDone: (server, path) => server.get(path)?.stat.aversion === 1,
  },
  {
    operation: 'delete',
    call: (zk, path) => zk.delete(path),
    isDone: (server, path) => server.get(path) === null,
  },
  {
    operation: 'multi',
    call: (zk, path) => zk.multi().check(path).create(`${path}/a`).setData(path, 'x').commit(),
    isDone: (server, path) => {
      const { version } = server.get(path)!.stat
      expect(server.get(`${path}/a`) !== null).toBe(version === 1)
      return version === 1
    },
  },
  { operation: 'getData', call: (zk, path) => zk.getData(path) },
  { operation: 'exists', call: (zk, path) => zk.exists(path) },
  { operation: 'getChildren2', call: (zk, path) => zk.getChildren(path) },
  { operation: 'getACL', call: (zk, path) => zk.getACL(path) },
  { operation: 'sync', call: (zk, path) => zk.sync(path) },
  { operation: 'multiRead', call: (zk, path) => zk.multiRead().getData(path).read() },
  { operation: 'getEphemerals', call: (zk) => zk.getEphemerals() },
  { operation: 'getAllChildrenNumber', call: (zk, path) => zk.getAllChildrenNumber(path) },
  { operation: 'whoAmI', call: (zk) => zk.whoAmI() },
  { operation: 'addWatch', call: (zk, path) => zk.watch(path).ready },
]

describe.each(swept.map((one) => [one.operation, one] as const))('%s', (_, one) => {
  let server: TestServer
  let zk: ZooKeeper
  beforeAll(async () => {
    server = await TestServer.start()
    zk = await connect(server.connectString, options)
    await zk.create('/marker')
  })
  afterAll(async () => {
    await zk.close()
    await server.close()
  })

  test('A2: is never done if its request is cut, at any byte', async () => {
    const { bytesOut } = await lengthsOf(one)
    for (let bytes = 1; bytes < bytesOut; bytes++) {
      const path = await newPath()
      server.faults.add({ do: 'cut', bytes, direction: 'to-server', path: '/marker' })
      await zk.exists('/marker') // those behind it are what is cut
      await expectFate(path, false)
    }
  })

  test('A3: is done, but not told to be, if its reply is cut, at any byte', async () => {
    const { bytesIn } = await lengthsOf(one)
    for (let bytes = 0; bytes < bytesIn; bytes++) {
      const path = await newPath()
      const { operation } = one
      const fault = server.faults.add({ do: 'cut', bytes, direction: 'to-client', operation })
      await expectFate(path, true)
      expect(fault.hits).toBe(1)
    }
  })

  let paths = 0

  /** All are as long as any other. */
  async function newPath(): Promise<string> {
    const { path } = await zk.create(`/${String(paths++).padStart(4, '0')}`)
    return path
  }

  async function lengthsOf({ call }: Swept): Promise<{ bytesIn: number; bytesOut: number }> {
    const path = await newPath()
    const before = zk.stats()
    await call(zk, path)
    const after = zk.stats()
    return {
      bytesIn: after.bytesIn - before.bytesIn,
      bytesOut: after.bytesOut - before.bytesOut,
    }
  }

  /** A read is answered by the next connection; of a write it is not known. */
  async function expectFate(path: string, isDone: boolean): Promise<void> {
    const before = zk.stats().reconnects
    const outcome = await outcomeOf(one.call(zk, path))
    expect(outcome).toBe(one.isDone === undefined ? 'applied' : 'unknown')
    await zk.sync()
    if (one.isDone !== undefined) expect(one.isDone(server, path)).toBe(isDone)
    expect(zk.stats().reconnects).toBe(before + 1)
  }
})

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'applied'
  } catch (error) {
    if (!isZooKeeperError(error)) throw error
    return error.outcome
  }
}
