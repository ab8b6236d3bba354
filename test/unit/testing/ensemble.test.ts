import { expect, onTestFinished, test } from 'vitest'
import { operations } from '../../../src/protocol/index.ts'
import {
  TestEnsemble,
  type TestEnsembleOptions,
  type TestMember,
} from '../../../src/testing/index.ts'
import { connectTo } from './connect-to.ts'
import { ManualClock } from './manual-clock.ts'
import { openAcl, RawClient, resumeRequest } from './raw-client.ts'

// What members of an ensemble say to their connections, while they know more or less than others.

const { closeSession, create2, getData, ping, setData, sync } = operations
const create = (path: string, flags = 0) => ({ path, data: null, acl: openAcl, flags })
const write = (data: string) => ({ path: '/a', data: Buffer.from(data), version: -1 })
const read = (watch = false) => ({ path: '/a', watch })

async function start(options: TestEnsembleOptions = {}): Promise<TestEnsemble> {
  const ensemble = await TestEnsemble.start({ tree: { '/a': 'old' }, ...options })
  onTestFinished(() => ensemble.close())
  return ensemble
}

async function threeOf(ensemble: TestEnsemble) {
  const [one, other] = ensemble.followers
  return { leader: ensemble.leader!, one: one!, other: other! }
}

const dataOf = (member: TestMember | TestEnsemble) => member.get('/a')?.data?.toString()

test('a follower that is held shows what was, and an event before the new value', async () => {
  const ensemble = await start()
  const { leader, one } = await threeOf(ensemble)
  const writer = await connectTo(leader)
  const reader = await connectTo(one)
  await reader.call(getData, read(true))
  one.hold()
  const { zxid } = await writer.call(setData, write('new'))

  const stale = await reader.call(getData, read())
  expect(stale.response?.data?.toString()).toBe('old')
  expect(stale.zxid).toBeLessThan(zxid)
  expect([dataOf(one), dataOf(leader), dataOf(ensemble)]).toEqual(['old', 'new', 'new'])
  expect(reader.events).toEqual([])
  one.release()
  const fresh = await reader.call(getData, read())
  expect(fresh).toMatchObject({ zxid })
  expect(fresh.response?.data?.toString()).toBe('new')
  expect(reader.events).toMatchObject([{ type: 'NodeDataChanged', path: '/a', zxid }])
})

test('a write through a held follower happens, and is answered when it arrives there', async () => {
  const ensemble = await start()
  const { one } = await threeOf(ensemble)
  const client = await connectTo(one)
  one.hold()
  const xids = [
    client.request(setData, write('first')),
    client.request(getData, read()),
    client.request(setData, write('second')),
    client.request(ping, undefined),
  ]
  await ensemble.until(() => dataOf(ensemble) === 'second')
  expect(client.order).toEqual([])
  one.release(1)
  await client.takeReply(setData)
  expect((await client.takeReply(getData)).response?.data?.toString()).toBe('first')
  expect(dataOf(one)).toBe('first')
  one.release()
  await client.takeReply(setData)
  await client.takeReply(ping)
  expect(client.order).toEqual([...xids.slice(0, 3), -2].map((xid) => `reply ${xid}`))
})

test('sync is answered when a held follower has all that was decided before', async () => {
  const ensemble = await start()
  const { leader, one } = await threeOf(ensemble)
  const writer = await connectTo(leader)
  const reader = await connectTo(one)
  one.hold()
  await writer.call(setData, write('new'))
  reader.request(sync, { path: '/a' })
  reader.request(getData, read())
  await ensemble.until(() => ensemble.outstanding === 2)
  expect(reader.order).toEqual([])
  one.release()
  await reader.takeReply(sync)
  expect((await reader.takeReply(getData)).response?.data?.toString()).toBe('new')
})

test('a member refuses whoever has seen more than it has', async () => {
  const ensemble = await start()
  const { leader, one } = await threeOf(ensemble)
  const client = await connectTo(leader)
  one.hold()
  const { zxid: lastZxidSeen } = await client.call(setData, write('new'))
  const resume = { ...resumeRequest(client), lastZxidSeen }

  expect((await connectTo(one, resume)).session).toBeNull()
  one.release()
  expect((await connectTo(one, resume)).sessionId).toBe(client.sessionId)
})

test('a session that begins at a held follower begins when that hears of it', async () => {
  const ensemble = await start()
  const { one } = await threeOf(ensemble)
  one.hold()
  const client = await RawClient.dial(one.port)
  onTestFinished(() => client.close())
  client.sendConnect({})
  const xid = client.request(getData, read())
  await ensemble.until(() => ensemble.sessions.length === 1)
  expect([one.sessions, client.received]).toMatchObject([[], { length: 0 }])
  one.release()
  expect((await client.takeConnectResponse())?.sessionId).toBe(one.sessions[0]?.id)
  expect(await client.takeReply(getData)).toMatchObject({ xid, err: 0 })
})

test('what no majority has is not answered, and is lost with its leader', async () => {
  const ensemble = await start()
  const { leader, one, other } = await threeOf(ensemble)
  const client = await connectTo(leader)
  for (const follower of [one, other]) follower.hold()
  client.request(setData, write('lost'))
  client.request(getData, read())
  await ensemble.until(() => ensemble.outstanding === 2)
  await leader.stop()
  await client.closed
  expect([client.order, dataOf(ensemble)]).toEqual([[], 'old'])
  await leader.restart()
  expect([dataOf(leader), leader.isLeader]).toEqual(['old', false])
  expect(ensemble.log.some(({ operation }) => operation === 'setData')).toBe(false)
})

test('what a leader has written down happens if the leader is back before there is another', async () => {
  const ensemble = await start()
  const { leader, one, other } = await threeOf(ensemble)
  const client = await connectTo(leader)
  for (const follower of [one, other]) follower.hold()
  client.request(setData, write('kept'))
  await ensemble.until(() => ensemble.outstanding === 1)
  await Promise.all([one.stop(), other.stop()])
  expect([ensemble.leader, dataOf(ensemble)]).toEqual([null, 'old'])
  await one.restart()
  expect([leader.isLeader, dataOf(ensemble), dataOf(one)]).toEqual([true, 'kept', 'kept'])
  expect(ensemble.log.at(-1)).toMatchObject({ operation: 'setData', sessionId: client.sessionId })
})

test('who begins to follow is told what its leader has written down', async () => {
  const ensemble = await start()
  const { leader, one, other } = await threeOf(ensemble)
  const client = await connectTo(leader)
  for (const follower of [one, other]) follower.hold()
  client.request(setData, write('kept'))
  await ensemble.until(() => ensemble.outstanding === 1)
  await one.stop()
  one.release()
  await one.restart()
  expect([dataOf(one), dataOf(other), dataOf(ensemble)]).toEqual(['kept', 'old', 'kept'])
  expect((await client.takeReply(setData)).err).toBe(0)
})

test('what a leader has written down is lost once another has led, even without a write', async () => {
  const ensemble = await start()
  const { leader, one, other } = await threeOf(ensemble)
  const client = await connectTo(leader)
  for (const follower of [one, other]) follower.hold()
  client.request(setData, write('lost'))
  await ensemble.until(() => ensemble.outstanding === 1)
  await leader.stop()
  expect(one.isLeader).toBe(true)
  await one.stop()
  await leader.restart()
  expect([other.isLeader, dataOf(leader), dataOf(ensemble)]).toEqual([true, 'old', 'old'])
})

test('a majority makes a write true, whoever lags behind, and the one that has it leads', async () => {
  const ensemble = await start()
  const { leader, one, other } = await threeOf(ensemble)
  const client = await connectTo(leader)
  one.hold()
  await client.call(setData, write('new'))
  await leader.stop()
  expect([other.isLeader, dataOf(one), dataOf(other)]).toEqual([true, 'new', 'new'])
})

test('the session moves to the member that resumes it; the old one closes at a write', async () => {
  const ensemble = await start()
  const { leader, one } = await threeOf(ensemble)
  const before = await connectTo(leader)
  const after = await connectTo(one, resumeRequest(before))
  expect((await before.call(getData, read())).err).toBe(0)
  expect((await after.call(setData, write('after'))).err).toBe(0)

  before.request(setData, write('before'))
  await before.closed
  expect([dataOf(ensemble), before.order]).toEqual(['after', ['reply 1']])
  expect((await after.call(setData, write('again'))).err).toBe(0)
})

test('an old connection may still end its session, at all members', async () => {
  const ensemble = await start()
  const { leader, one } = await threeOf(ensemble)
  const before = await connectTo(leader)
  const after = await connectTo(one, resumeRequest(before))
  await before.call(closeSession, undefined)
  await after.closed
  expect(ensemble.sessions).toEqual([])
})

test('a session ends at all members at once, and at a held one when it hears of it', async () => {
  const ensemble = await start()
  const { leader, one } = await threeOf(ensemble)
  const owner = await connectTo(one)
  const watcher = await connectTo(leader)
  await owner.call(create2, create('/e', 1))
  await watcher.call(getData, { path: '/e', watch: true })
  one.hold()
  await ensemble.expire(owner.sessionId)

  expect(await watcher.takeEvent()).toMatchObject({ type: 'NodeDeleted', path: '/e' })
  expect([ensemble.get('/e'), one.get('/e')]).toMatchObject([null, { stat: { version: 0 } }])
  expect((await owner.call(getData, { path: '/e', watch: false })).err).toBe(0)
  owner.request(setData, write('late')) // of a session that is over
  await ensemble.until(() => one.outstanding === 1)
  one.release()
  await owner.closed
  expect([one.get('/e'), dataOf(ensemble)]).toEqual([null, 'old'])
})

test('a member cut off that has not noticed reads and pings, and keeps no session alive', async () => {
  const clock = new ManualClock()
  const ensemble = await start({ clock, tickTime: 1_000 })
  const { leader, one } = await threeOf(ensemble)
  const client = await connectTo(leader, { timeOut: 4_000 })
  await client.call(create2, create('/e', 1))
  ensemble.partition([leader], { noticed: false })

  expect([one.isLeader, leader.isLeader]).toEqual([true, false])
  for (let i = 0; i < 6; i++) {
    clock.advance(1_000)
    await client.call(ping, undefined, -2)
  }
  expect([ensemble.sessions, ensemble.get('/e')]).toEqual([[], null])
  expect((await client.call(getData, { path: '/e', watch: false })).err).toBe(0)
  client.request(setData, write('lost'))
  ensemble.partition([leader])
  await client.closed
  ensemble.heal()
  expect([dataOf(leader), leader.get('/e')]).toEqual(['old', null])
  expect((await connectTo(leader, resumeRequest(client))).session?.timeOut).toBe(0)
})

test('members of a minority serve reads if they may, each what it knows', async () => {
  const ensemble = await start({ readOnlyMode: true, members: 5 })
  const [leader, one, two, three] = ensemble.members
  const client = await connectTo(leader!)
  two!.hold()
  await client.call(setData, write('new'))
  ensemble.partition([two!, one!])
  await client.call(setData, write('newer'))

  const readOnly = { readOnly: true }
  const seen = [await connectTo(one!, readOnly), await connectTo(two!, readOnly)]
  expect(seen.map(({ session }) => session?.readOnly)).toEqual([true, true])
  const data = await Promise.all(seen.map((reader) => reader.call(getData, read())))
  expect(data.map(({ response }) => response?.data?.toString())).toEqual(['new', 'old'])
  expect((await connectTo(one!)).session).toBeNull()
  ensemble.heal()
  await Promise.all(seen.map(({ closed }) => closed))
  expect([dataOf(one!), dataOf(two!), dataOf(three!)]).toEqual(['newer', 'newer', 'newer'])
})

test('a member that has lost its data gets it back, and one that runs cannot lose it', async () => {
  const ensemble = await start()
  const { one } = await threeOf(ensemble)
  expect(() => one.wipe()).toThrow('runs')
  await one.stop()
  one.wipe()
  expect(one.snapshot().size).toBe(0)
  await one.restart()
  expect(dataOf(one)).toBe('old')
})

test('an ensemble put back has the data and the sessions of then, and refuses who saw more', async () => {
  const ensemble = await start()
  const { leader } = await threeOf(ensemble)
  const known = await connectTo(leader)
  const backup = ensemble.backup()
  const unknown = await connectTo(leader)
  const { zxid: lastZxidSeen } = await unknown.call(setData, write('new'))
  ensemble.restore(backup)

  await Promise.all([known.closed, unknown.closed])
  expect([ensemble.members.map(dataOf), ensemble.sessions.length]).toEqual([
    ['old', 'old', 'old'],
    1,
  ])
  const resume = (client: RawClient, zxid: bigint) =>
    connectTo(leader, { ...resumeRequest(client), lastZxidSeen: zxid })
  expect((await resume(unknown, lastZxidSeen)).session).toBeNull()
  expect((await resume(unknown, 0n)).session?.timeOut).toBe(0)
  expect((await resume(known, 0n)).sessionId).toBe(known.sessionId)
})

test('a leader cannot lag behind itself, and a member that leads lags no more', async () => {
  const ensemble = await start()
  const { leader, one, other } = await threeOf(ensemble)
  expect(() => leader.hold()).toThrow('lag')
  for (const follower of [one, other]) follower.hold()
  await leader.stop()
  expect([one.isLeader, one.isHeld, other.isHeld]).toEqual([true, false, true])
})

test('faults of a member strike there only, those of the ensemble at any', async () => {
  const ensemble = await start()
  const { leader, one } = await threeOf(ensemble)
  const clients = [await connectTo(leader), await connectTo(one)]
  const errors = () =>
    Promise.all(clients.map(async (client) => (await client.call(getData, read())).err))
  one.faults.add({ do: 'fail', code: 'THROTTLED_OP', operation: 'getData' })
  expect(await errors()).toEqual([0, -127])
  ensemble.faults.add({ do: 'fail', code: 'THROTTLED_OP', operation: 'getData', times: 2 })
  expect(await errors()).toEqual([-127, -127])
})

test('an error in place of a read comes behind the write that a held follower waits for', async () => {
  const ensemble = await start()
  const { one } = await threeOf(ensemble)
  const client = await connectTo(one)
  one.hold()
  one.faults.add({ do: 'fail', code: 'THROTTLED_OP', operation: 'getData' })
  const xids = [client.request(setData, write('new')), client.request(getData, read())]
  await ensemble.until(() => one.outstanding === 2)
  one.release()
  const replies = [await client.takeReply(setData), await client.takeReply(getData)]
  expect(replies.map(({ xid, err }) => [xid, err])).toEqual([
    [xids[0], 0],
    [xids[1], -127],
  ])
  expect(ensemble.log.at(-1)).toMatchObject({ operation: 'getData', path: '/a', err: -127 })
})

test('a connection that is not heard of for the session timeout is closed, the session lives on', async () => {
  const clock = new ManualClock()
  const ensemble = await start({ clock, tickTime: 1_000 })
  const { leader, one } = await threeOf(ensemble)
  const left = await connectTo(leader, { timeOut: 4_000 })
  await left.call(getData, read(true))
  const used = await connectTo(one, { ...resumeRequest(left), timeOut: 4_000 })
  for (let i = 0; i < 5; i++) {
    clock.advance(1_000)
    await used.call(ping, undefined, -2)
  }
  await left.closed
  expect(ensemble.sessions).toMatchObject([{ id: used.sessionId, connected: true }])
  expect(ensemble.watches.data).toEqual([])
})

test('no timer is left when an ensemble has closed', async () => {
  const clock = new ManualClock()
  const ensemble = await start({ clock })
  const client = await connectTo(ensemble.leader!)
  await client.call(create2, create('/e', 1))
  await ensemble.close()
  expect(clock.timerCount).toBe(0)
})
