import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { connect, type StateChange, type ZooKeeper } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { errorOf, openAt } from '../support/servers.ts'

// A session goes from one client to another, and what happens when two have it, on the in-process
// server; `session-ensemble.test.ts` has real ones.

test('a session goes to another client, with its ephemerals', async () => {
  await using server = await TestServer.start()
  const first = await openAt(server.connectString)
  await first.create('/mine', 'x', { mode: 'ephemeral' })
  const { id } = first.session

  const written = first.setData('/mine', 'y')
  await Promise.resolve()
  await new Promise((resolve) => process.nextTick(resolve))
  const session = await first.exportSession()
  expect((await written).version).toBe(1) // what was written is waited for
  expect(first.state).toBe('closed')
  expect(await errorOf(first.getData('/mine'))).toMatchObject({ code: 'CLOSED' })

  const message = JSON.parse(JSON.stringify(session.reveal())) // as between processes
  const second = await openAt(server.connectString, { session: message })
  expect(second.session.id).toBe(id)
  expect((await second.exists('/mine'))?.ephemeralOwner).toBe(id)
  await second.close()
  expect(server.get('/mine')).toBeNull()
})

test('an exported session does not show its password', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const session = await zk.exportSession()
  const { password } = session.reveal()
  expect(password).toMatch(/^[\da-f]{32}$/)
  for (const text of [
    inspect(session, { showHidden: true }),
    String(session),
    JSON.stringify(session),
  ]) {
    expect(text).not.toContain(password)
    expect(text).not.toContain(Buffer.from(password, 'hex').toString('base64'))
  }
  expect(String(session)).toBe(`session 0x${session.id.toString(16)}`)
  expect(JSON.parse(JSON.stringify(session))).toEqual({
    id: `0x${session.id.toString(16)}`,
    timeout: 10_000,
  })
})

test('a session that has expired meanwhile is not replaced by stealth', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const session = await zk.exportSession()
  await server.expire(session.id)
  const error = await errorOf(openAt(server.connectString, { session }))
  expect(error).toMatchObject({ code: 'SESSION_EXPIRED', op: 'connect' })
  expect(server.sessions).toEqual([])
})

test('the next client does not read what is older than what the first one saw', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  await zk.create('/a')
  const session = await zk.exportSession()
  expect(BigInt(session.reveal().lastZxid)).toBe(server.lastZxid)
})

test('a client without a link hands its session over at once', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const { id } = zk.session
  await server.stop()
  await zk.waitFor('suspended')
  expect((await zk.exportSession()).id).toBe(id)
})

test('there is nothing to hand over without a session that the servers agreed to', async () => {
  await using server = await TestServer.start()
  server.setReadOnly(true)
  const reader = await openAt(server.connectString, { readOnly: true })
  expect(await errorOf(reader.exportSession())).toMatchObject({ code: 'UNKNOWN_SESSION' })
  expect(reader.state).toBe('read-only')
})

test('a client that has ended, or hands its session over, has none to hand over', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const both = await Promise.allSettled([zk.exportSession(), zk.exportSession()])
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(await errorOf(zk.exportSession())).toMatchObject({ code: 'CLOSED', op: 'exportSession' })
  await zk.close()
})

test.each([
  ['no session', {}],
  ['a number for an id', { id: 5, password: '00', lastZxid: '0x0' }],
  ['a password that is no hexadecimal', { id: '0x5', password: 'secret', lastZxid: '0x0' }],
  ['no zxid', { id: '0x5', password: '00' }],
])('%s is refused before anything is dialled', async (_, session) => {
  const options = { session: session as never }
  expect(await errorOf(connect('127.0.0.1:1', options))).toMatchObject({ code: 'BAD_ARGUMENTS' })
})

// Neither is told by the server that the other one exists.
test('of two clients that use one session, one gives it up, and says so', async () => {
  await using server = await TestServer.start()
  const session = await (await openAt(server.connectString)).exportSession()
  const options = { session, onExpired: 'close', backoff: { msMin: 1, msMax: 5 } } as const
  const [one, other] = [
    await openAt(server.connectString, options),
    await openAt(server.connectString, options),
  ]
  const changes = [record(one), record(other)]
  await Promise.race([one.waitFor('closed'), other.waitFor('closed')])

  const [loser, winner] = one.state === 'closed' ? [one, other] : [other, one]
  expect(await errorOf(loser.exists('/'))).toMatchObject({ code: 'SESSION_MOVED' })
  const told = changes[loser === one ? 0 : 1]!.slice(-2)
  expect(told).toMatchObject([
    { state: 'expired', reason: 'taken-over', cause: { code: 'SESSION_MOVED' } },
    { state: 'closed', reason: 'taken-over' },
  ])
  await winner.waitFor('connected')
  expect(await winner.exists('/')).not.toBeNull()
  expect(winner.session.id).toBe(session.id)
})

test('the one that gives it up goes on in a session of its own, unless told otherwise', async () => {
  await using server = await TestServer.start()
  const session = await (await openAt(server.connectString)).exportSession()
  const options = { session, backoff: { msMin: 1, msMax: 5 } }
  const clients = [
    await openAt(server.connectString, options),
    await openAt(server.connectString, options),
  ]
  await Promise.race(clients.map((zk) => zk.waitFor('expired')))
  await Promise.all(clients.map((zk) => zk.waitFor('connected')))
  expect(new Set(clients.map((zk) => zk.session.id)).size).toBe(2)
})

test('R41: servers that lost their data are told of, and do not stop the client for ever', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString, {
    sessionTimeout: 600,
    backoff: { msMin: 5, msMax: 20 },
  })
  const { id } = zk.session
  for (let i = 0; i < 5; i++) await zk.create(`/${i}`)
  const changes = record(zk)
  await server.stop()
  server.wipe()
  await server.resume()
  await zk.waitFor('expired')
  await zk.waitFor('connected')

  expect(changes.map(({ state, reason }) => `${state}: ${reason}`)).toEqual([
    'suspended: disconnected',
    'lost: unheard',
    'expired: data-lost',
    'connecting: renewed',
    'connected: established',
  ])
  expect(changes.at(-1)).toMatchObject({ previousSessionId: id })
  expect(await zk.exists('/0')).toBeNull()
})

function record(zk: ZooKeeper): StateChange[] {
  const changes: StateChange[] = []
  void (async () => {
    for await (const change of zk.states()) changes.push(change)
  })()
  return changes
}
