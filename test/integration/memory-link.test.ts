import { once } from 'node:events'
import { createConnection } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import {
  connect,
  type ConnectOptions,
  CREATOR_ALL_ACL,
  fourLetterWords,
  type ZooKeeper,
} from '../../src/index.ts'
import { Lock } from '../../src/recipes/index.ts'
import {
  type FaultPlan,
  TestEnsemble,
  TestServer,
  type TestServerOptions,
} from '../../src/testing/index.ts'
import { Authority } from '../support/certificates.ts'
import { errorOf } from '../support/servers.ts'

// The in-process server without a port: what shows by TCP must show in memory, too.

const fast = { backoff: { msMin: 1, msMax: 5 } } as const

async function start(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.start({ tickTime: 50, ...options, listen: false })
  onTestFinished(() => server.close())
  return server
}

async function open(server: TestServer, options: ConnectOptions = {}): Promise<ZooKeeper> {
  const zk = await connect(server.connectString, { ...fast, dial: server.dial, ...options })
  onTestFinished(() => zk.close())
  return zk
}

test('every kind of call is answered, in order', async () => {
  const server = await start()
  const zk = await open(server, { auth: [{ scheme: 'digest', auth: 'user:secret' }] })
  await zk.create('/a/b', 'x', { parents: true, acl: CREATOR_ALL_ACL })
  const results = await Promise.all([
    zk.setData('/a/b', 'y').then(({ version }) => version),
    zk.getData('/a/b').then(({ data }) => String(data)),
    zk.getChildren('/a').then(({ children }) => children),
    zk.exists('/nope'),
    errorOf(zk.delete('/a')),
    zk.multi().create('/c', '1').check('/a', 0).commit(),
    zk.sync(),
    zk.getEphemerals(),
  ])
  expect(results.slice(0, 4)).toEqual([1, 'y', ['b'], null])
  expect(results[4]).toMatchObject({ code: 'NOT_EMPTY', outcome: 'not-applied' })
  expect(server.get('/c')?.data?.toString()).toBe('1')
  const ids = await zk.whoAmI()
  expect(ids.map(({ authScheme }) => authScheme).sort()).toEqual(['digest', 'ip'])
})

test('a thousand calls of one turn, and values of the greatest length, go in and out', async () => {
  const zk = await open(await start())
  const value = Buffer.alloc(1_000_000, 'v')
  await zk.create('/large')
  const writes = Array.from({ length: 20 }, () => zk.setData('/large', value))
  const small = Array.from({ length: 1_000 }, (_, i) => zk.create(`/s-${i}`, `${i}`))
  const reads = Array.from({ length: 20 }, () => zk.getData('/large'))
  await Promise.all([...writes, ...small])
  for (const { data } of await Promise.all(reads)) expect(data?.equals(value)).toBe(true)
})

test('watches tell what happens, and an expiry makes another session', async () => {
  const server = await start()
  const zk = await open(server)
  const other = await open(server)
  await zk.create('/e', '', { mode: 'ephemeral' })
  const gone = other.watch('/e')[Symbol.asyncIterator]()
  const next = gone.next()
  await server.until(() => server.watches.persistent.length === 1)
  const expired = zk.session.id
  await server.expire(expired)
  expect((await next).value).toMatchObject({ type: 'NodeDeleted', path: '/e' })
  await zk.create('/again', '', { idempotent: true }) // whichever connection it was written to
  expect(zk.session.id).not.toBe(expired)
})

const plans: readonly FaultPlan[] = [
  { do: 'drop-request', operation: 'getData' },
  { do: 'drop-reply', operation: 'getData' },
  { do: 'cut', bytes: 0, operation: 'getData' },
  { do: 'cut', bytes: 10, operation: 'getData' },
  { do: 'garbage', operation: 'getData' },
  { do: 'duplicate-reply', operation: 'getData' },
  { do: 'slice', bytes: 1, operation: 'getData' },
  { do: 'glue', ms: 5, operation: 'getData' },
  { do: 'lag', ms: 5, operation: 'getData' },
  { do: 'slow', bytesPerSecond: 10_000, operation: 'getData' },
  { do: 'delay-reply', ms: 5, operation: 'getData' },
  { do: 'silence', operation: 'getData' },
]

test.each(plans)('a read is answered in spite of %o', async (plan) => {
  const server = await start({ tree: { '/a': 'x' } })
  const zk = await open(server, { sessionTimeout: 300 })
  const { id } = zk.session
  const fault = server.faults.add(plan)
  const { data } = await zk.getData('/a')
  expect([String(data), fault.hits, zk.session.id]).toEqual(['x', 1, id])
})

test('a write whose reply is lost is told as unknown, and the lock finds its own', async () => {
  const server = await start({ tree: { '/lock': '' } })
  const zk = await open(server)
  server.faults.add({ do: 'drop-reply', operation: 'setData' })
  const error = await errorOf(zk.setData('/lock', 'x'))
  expect(error).toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'unknown' })
  expect((error as Error).cause).toMatchObject({ code: 'ECONNRESET' })
  server.faults.add({ do: 'drop-reply', operation: 'create' })
  const held = await new Lock(zk, '/lock').acquire()
  expect(server.get('/lock')?.stat.numChildren).toBe(1)
  await held.release()
})

test('a server that refuses, or is away, is dialled again', async () => {
  const server = await start()
  const refusal = server.faults.add({ do: 'refuse', times: 2 })
  const zk = await open(server)
  expect(refusal.hits).toBe(2)
  const { id } = zk.session
  const suspended = zk.waitFor('suspended')
  await server.stop()
  await suspended
  const refused = await errorOf(connect('127.0.0.1:1', { dial: server.dial, connectTimeout: 50 }))
  expect((refused as Error).cause).toMatchObject({ code: 'ECONNREFUSED' })
  await server.resume()
  await zk.waitFor('connected')
  expect(zk.session.id).toBe(id)
})

test('TLS is spoken inside, with a client certificate, and a stranger is refused', async () => {
  const authority = await Authority.create()
  const identity = await authority.issue({ hosts: ['zk.example'] })
  const client = await authority.issue({ subject: 'O=Test, CN=client' })
  const { cert: ca } = authority
  const server = await start({ tls: { ...identity, ca, requestCert: true }, host: 'zk.example' })
  expect(server.connectString).toBe('zks://zk.example:1')
  const zk = await open(server, { tls: { ca, ...client } })
  expect(await zk.whoAmI()).toContainEqual({ authScheme: 'x509', user: 'CN=client,O=Test' })
  await zk.create('/a', Buffer.alloc(500_000, 'a'))
  expect((await zk.getData('/a')).data).toHaveLength(500_000)
  const suspended = zk.waitFor('suspended')
  server.cut()
  await suspended
  await zk.waitFor('connected')

  const { dial } = server
  const options = { dial, tls: { ca }, connectTimeout: 300 }
  const error = await errorOf(connect('zks://another.example', options))
  expect((error as Error).cause).toMatchObject({
    code: 'TLS_FAILED',
    cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
  })
})

test('four-letter words are answered', async () => {
  const server = await start()
  const { dial } = server
  expect(await fourLetterWords.ruok(server.connectString, { dial })).toBe(true)
  expect((await fourLetterWords.srvr(server.connectString, { dial })).mode).toBe('standalone')
})

test('an ensemble has a member behind each port, and a session moves', async () => {
  await using ensemble = await TestEnsemble.start({ listen: false })
  const { connectString, dial, members } = ensemble
  expect(members.map(({ port }) => port)).toEqual([1, 2, 3])
  const zk = await connect(connectString, { dial, ...fast })
  onTestFinished(() => zk.close())
  await zk.create('/e', '', { mode: 'ephemeral' })
  const { id, server } = { id: zk.session.id, server: zk.server }
  const suspended = zk.waitFor('suspended')
  await members.find(({ address }) => address === server)!.stop()
  await suspended
  await zk.waitFor('connected')
  await zk.setData('/e', 'x')
  expect([zk.session.id, zk.server === server]).toEqual([id, false])
  const refused = await errorOf(connect('127.0.0.1:4', { dial, connectTimeout: 50 }))
  expect((refused as Error).cause).toMatchObject({ code: 'ECONNREFUSED' })
})

test('two hundred servers side by side have a tree each', async () => {
  const servers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => start({ tree: { '/nth': `${i}` } })),
  )
  const clients = await Promise.all(servers.map((server) => open(server)))
  const values = await Promise.all(clients.map((zk) => zk.getData('/nth')))
  expect(values.map(({ data }) => Number(data))).toEqual(servers.map((_, i) => i))
})

test('a server that listens is reached both ways', async () => {
  await using server = await TestServer.start()
  const inMemory = await open(server)
  const byTcp = await open(server, { dial: undefined })
  await inMemory.create('/a')
  expect(await byTcp.exists('/a')).not.toBeNull()
})

test('nobody listens at the port of a server without one', async () => {
  const server = await start()
  const socket = createConnection({ host: '127.0.0.1', port: server.port })
  await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
