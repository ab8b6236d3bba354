import { expect, test } from 'vitest'
import { type ConnectOptions, type StateChange, type ZooKeeper } from '../../src/index.ts'
import { TestServer, type TestServerOptions } from '../../src/testing/index.ts'
import { Authority } from '../support/certificates.ts'
import { errorOf, openAt } from '../support/servers.ts'

// A server without a quorum, on the in-process server; `read-only-ensemble.test.ts` has real ones.

const patient = { sessionTimeout: 10_000, backoff: { msMax: 50 } }

test('R73: a client that reads only is served without a quorum, and its state says so', async () => {
  await using server = await TestServer.start()
  const writer = await openAt(server.connectString)
  await writer.create('/a', 'x')
  server.setReadOnly(true)

  const zk = await openAt(server.connectString, { ...patient, readOnly: true })
  expect(zk.state).toBe('read-only')
  expect((await zk.getData('/a')).data?.toString()).toBe('x')
  const refused = { code: 'NOT_READ_ONLY', outcome: 'not-applied' }
  expect(await errorOf(zk.create('/b'))).toMatchObject({ ...refused, op: 'create2', path: '/b' })
  expect(await errorOf(zk.sync())).toMatchObject(refused)
  expect(await errorOf(zk.multi().delete('/a').commit())).toMatchObject(refused)
})

test('a client that does not ask for it is not served, and says why', async () => {
  await using server = await TestServer.start()
  server.setReadOnly(true)
  const error = await errorOf(openAt(server.connectString, { connectTimeout: 200 }))
  expect(error).toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('no quorum') })
})

test('a session outlives the time without a quorum, in which reads go on', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString, { ...patient, readOnly: true })
  const { id } = zk.session
  await zk.create('/mine', 'x', { mode: 'ephemeral' })
  const events: string[] = []
  await zk.exists('/mine', { watch: ({ type }) => events.push(type) })
  const changes = record(zk)

  server.setReadOnly(true)
  await zk.waitFor('read-only')
  expect((await zk.getData('/mine')).data?.toString()).toBe('x')
  expect(zk.session.id).toBe(id)
  server.setReadOnly(false)
  await zk.waitFor('connected')

  expect(zk.session.id).toBe(id)
  await zk.setData('/mine', 'y')
  await zk.sync()
  expect(events).toEqual(['NodeDataChanged'])
  expect(changes.map(({ state }) => state)).toEqual([
    'suspended',
    'read-only',
    'suspended',
    'connected',
  ])
  expect(changes.every(({ previousSessionId }) => previousSessionId === null)).toBe(true)
})

test('a server that can write is found, and moved to; the made-up session is left behind', async () => {
  await expectMove({}, {})
})

test('B16: a server that can write is found over TLS, where nothing is asked in clear', async () => {
  const authority = await Authority.create()
  const identity = await authority.issue({ hosts: ['127.0.0.1'] })
  await expectMove({ tls: identity }, { tls: { ca: authority.cert } })
})

async function expectMove(server: TestServerOptions, client: ConnectOptions): Promise<void> {
  await using alone = await TestServer.start(server)
  await using other = await TestServer.start(server)
  const [here, there] = [alone, other].map(({ port }) => `127.0.0.1:${port}`)
  alone.setReadOnly(true)
  await openAt(there!, client) // so that the next session there has an id of its own
  await other.stop()
  const zk = await openAt(`${here},${there}`, { ...patient, ...client, readOnly: true })
  expect(zk.server).toBe(here)
  const { id } = zk.session
  const changes = record(zk)

  await other.resume()
  await zk.waitFor('connected')
  expect(zk.server).toBe(there)
  expect(changes.map(({ state, reason }) => `${state}: ${reason}`)).toEqual([
    'suspended: moved',
    'connected: established',
  ])
  expect(changes[1]).toMatchObject({ sessionId: zk.session.id, previousSessionId: id })
  await zk.create('/now')
}

test('a client that is closed while it looks for another server leaves nothing behind', async () => {
  await using alone = await TestServer.start()
  alone.setReadOnly(true)
  const hosts = `${alone.connectString},192.0.2.1:2181` // the other one never answers
  const zk = await openAt(hosts, { ...patient, readOnly: true, sessionTimeout: 3_000 })
  await zk.close()
  expect(alone.sessions).toEqual([])
})

function record(zk: ZooKeeper): StateChange[] {
  const changes: StateChange[] = []
  void (async () => {
    for await (const change of zk.states()) changes.push(change)
  })()
  return changes
}
