import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { TestEnsemble, type TestEnsembleOptions } from '../../src/testing/index.ts'
import { type StateChange } from '../../src/index.ts'
import { Lock } from '../../src/recipes/index.ts'
import { openAt } from '../support/servers.ts'

async function start(options: TestEnsembleOptions = {}): Promise<TestEnsemble> {
  const ensemble = await TestEnsemble.start({ tickTime: 100, ...options })
  onTestFinished(() => ensemble.close())
  return ensemble
}

const fast = { sessionTimeout: 2_000, backoff: { msMin: 5, msMax: 50 } } as const
const memberOf = (ensemble: TestEnsemble, server: string | null) =>
  ensemble.members.find(({ address }) => address === server)!

test('a session moves when its member goes, and its ephemerals and watches with it', async () => {
  const ensemble = await start()
  const zk = await openAt(ensemble.connectString, fast)
  await zk.create('/e', '', { mode: 'ephemeral' })
  const events: string[] = []
  await zk.getData('/e', { watch: ({ type }) => events.push(type) })
  const { id } = zk.session
  const before = memberOf(ensemble, zk.server)
  const suspended = zk.waitFor('suspended')
  await before.stop()
  await suspended
  await zk.waitFor('connected')
  await zk.setData('/e', 'x')
  expect(memberOf(ensemble, zk.server)).not.toBe(before)
  expect(zk.session.id).toBe(id)
  expect(events).toEqual(['NodeDataChanged'])
})

test('another leader counts zxids behind a higher epoch, and sessions go on', async () => {
  const ensemble = await start()
  const zk = await openAt(ensemble.connectString, fast)
  const { stat } = await zk.create('/a')
  const { leader } = ensemble
  const { id } = zk.session
  ensemble.changeLeader()
  await zk.waitFor('suspended')
  await zk.waitFor('connected')
  const { mzxid } = await zk.setData('/a', 'x')
  expect(mzxid >> 32n).toBe((stat.czxid >> 32n) + 1n)
  expect(ensemble.leader).not.toBe(leader)
  expect(zk.session.id).toBe(id)
})

test('a leader that stops is followed by another; a follower that stops changes nothing', async () => {
  const ensemble = await start()
  const [first, second] = ensemble.members
  const epochBefore = ensemble.lastZxid >> 32n
  await second!.stop()
  expect([first!.isLeader, ensemble.lastZxid >> 32n]).toEqual([true, epochBefore])
  await second!.restart()
  await first!.stop()
  expect([second!.isLeader, ensemble.lastZxid >> 32n]).toEqual([true, epochBefore + 1n])
})

test('without a majority nobody serves and no session expires; with it all go on', async () => {
  const ensemble = await start()
  const zk = await openAt(ensemble.connectString, fast)
  await zk.create('/e', '', { mode: 'ephemeral' })
  const { id } = zk.session
  const [, second, third] = ensemble.members
  await Promise.all([second!.stop(), third!.stop()])
  expect(ensemble.leader).toBeNull()
  await zk.waitFor('lost')
  expect(ensemble.sessions).toMatchObject([{ id, connected: false, ephemerals: ['/e'] }])
  await third!.restart()
  await zk.waitFor('connected')
  expect(zk.session.id).toBe(id)
  expect(await zk.exists('/e')).not.toBeNull()
})

test('a minority in read-only mode serves reads to those who accept that', async () => {
  const ensemble = await start({ readOnlyMode: true, tree: { '/a': 'x' } })
  const [, second, third] = ensemble.members
  await Promise.all([second!.stop(), third!.stop()])
  const zk = await openAt(ensemble.connectString, { ...fast, readOnly: true })
  expect(zk.state).toBe('read-only')
  expect(String((await zk.getData('/a')).data)).toBe('x')
  await second!.restart()
  await zk.waitFor('connected')
  await zk.setData('/a', 'y')
})

test('an ensemble that has lost its data ends the session', async () => {
  const ensemble = await start()
  const zk = await openAt(ensemble.connectString, { ...fast, onExpired: 'close' })
  await zk.create('/a')
  ensemble.wipe()
  await zk.waitFor('expired')
  expect(ensemble.snapshot().size).toBe(0)
})

test('a fault strikes at whichever member the request comes in', async () => {
  const ensemble = await start()
  const zk = await openAt(ensemble.connectString, fast)
  const fault = ensemble.faults.add({ do: 'drop-request', operation: 'sync', times: 2 })
  await zk.sync()
  expect(fault.hits).toBe(2)
})

// The epochs are those of an ensemble that has had two leaders since: its zxids stay behind for long.
test.each([
  ['knows', true],
  ['does not know', false],
])('C5: an ensemble put back that %s the session ends it: no past is read', async (_, isKnown) => {
  const ensemble = await start({ tree: { '/a': 'then' } })
  const before = ensemble.backup()
  const zk = await openAt(ensemble.connectString, { ...fast, sessionTimeout: 600 })
  const { id } = zk.session
  const backup = isKnown ? ensemble.backup() : before
  for (let leaders = 0; leaders < 2; leaders++) {
    const suspended = zk.waitFor('suspended')
    ensemble.changeLeader()
    await suspended
    await zk.waitFor('connected')
  }
  await zk.setData('/a', 'now')
  const changes: StateChange[] = []
  void (async () => {
    for await (const change of zk.states()) changes.push(change)
  })()
  ensemble.restore(backup)
  const read = zk.getData('/a', { timeout: 10_000 }).catch(() => undefined)

  await zk.waitFor('expired')
  await zk.waitFor('connected')
  const reasons = changes.filter(({ state }) => state === 'lost' || state === 'expired')
  expect(reasons).toMatchObject([
    { state: 'lost', sessionId: id },
    { state: 'expired', reason: 'data-lost', sessionId: id },
  ])
  await read
  const readers = ensemble.log.filter(({ operation }) => operation === 'getData')
  expect(readers.map(({ sessionId }) => sessionId)).not.toContain(id)
  expect(String((await zk.getData('/a')).data)).toBe('then')
})

test('D18: a follower that lags shows what was; behind a sync a read shows what is', async () => {
  const ensemble = await start({ tree: { '/a': 'old' } })
  const [follower] = ensemble.followers
  const reader = await openAt(follower!.address, fast)
  const writer = await openAt(ensemble.leader!.address, fast)
  follower!.hold()
  await writer.setData('/a', 'new')
  expect(String((await reader.getData('/a')).data)).toBe('old')
  const synced = reader.getData('/a', { sync: true })
  await follower!.until(() => follower!.outstanding === 2)
  follower!.release()
  expect(String((await synced).data)).toBe('new')
})

test('K2: a member that its peers have lost sight of shows what was, and keeps no lease', async () => {
  const ensemble = await start({ tree: { '/a': 'then' } })
  const { leader, followers } = ensemble
  const patient = { ...fast, sessionTimeout: 1_000 }
  const zk = await openAt(followers[0]!.address, patient)
  const other = await openAt(leader!.address, patient)
  const held = await new Lock(zk, '/lock').acquire()
  const next = new Lock(other, '/lock').acquire()
  ensemble.partition([followers[0]!], { noticed: false })

  await other.setData('/a', 'now')
  expect(String((await zk.getData('/a')).data)).toBe('then')
  await once(held.signal, 'abort')
  expect(ensemble.sessions.map(({ id }) => id)).toContain(zk.session.id)
  expect(zk.state).toBe('connected')
  expect((await next).fencingToken).toBeGreaterThan(held.fencingToken)
})

test('K8: a member that has lost its data gets it back, and no client is shown less', async () => {
  const ensemble = await start({ tree: { '/a': 'then' } })
  const zk = await openAt(ensemble.connectString, fast)
  await zk.setData('/a', 'now')
  const { id } = zk.session
  const member = ensemble.memberAt(zk.server)
  const suspended = zk.waitFor('suspended')
  await member.stop()
  await suspended
  member.wipe()
  await member.restart()
  await zk.waitFor('connected')
  zk.updateServers(member.address)
  const { data } = await zk.getData('/a')
  expect([String(data), zk.server, zk.session.id]).toEqual(['now', member.address, id])
})
