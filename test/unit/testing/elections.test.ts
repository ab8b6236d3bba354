import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { operations } from '../../../src/protocol/index.ts'
import {
  TestEnsemble,
  type TestEnsembleOptions,
  type TestMember,
} from '../../../src/testing/index.ts'
import { fourLetterWord } from '../../support/four-letter-word.ts'
import { connectTo } from './connect-to.ts'
import { ManualClock } from './manual-clock.ts'
import { resumeRequest } from './raw-client.ts'

// What members say while they look for a leader. `integration/elections-ensemble.test.ts` shows it of real ones.

const { getData, setData } = operations
const write = (data: string) => ({ path: '/a', data: Buffer.from(data), version: -1 })
const read = { path: '/a', watch: false }

async function start(options: TestEnsembleOptions = {}) {
  const clock = new ManualClock()
  const tree = { '/a': 'old' }
  const all = { clock, electionTime: 500, tickTime: 1_000, tree, ...options }
  const ensemble = await TestEnsemble.start(all)
  onTestFinished(() => ensemble.close())
  const [one, other] = ensemble.followers
  return { clock, ensemble, leader: ensemble.leader!, one: one!, other: other! }
}

const isServing = async (member: TestMember, readOnly = false) =>
  (await connectTo(member, { readOnly })).session !== null

test('the first leader takes no time, the next one does', async () => {
  const { clock, ensemble, leader } = await start()
  await leader.stop()
  clock.advance(499)
  expect(ensemble.leader).toBeNull()
  clock.advance(1)
  expect(ensemble.leader).not.toBeNull()
})

test('members without a leader close their connections, and answer words alone', async () => {
  const { clock, leader, one } = await start()
  const client = await connectTo(one)
  const ended = once(client.socket, 'end') // not by a reset
  await leader.stop()
  await ended

  expect(await isServing(one)).toBe(false)
  const words = await Promise.all(
    ['ruok', 'isro', 'srvr'].map((word) => fourLetterWord(one.port, word)),
  )
  const idle = 'This ZooKeeper instance is not currently serving requests\n'
  expect(words).toEqual(['imok', 'null', idle])
  clock.advance(500)
  expect((await connectTo(one, resumeRequest(client))).sessionId).toBe(client.sessionId)
  expect(await fourLetterWord(one.port, 'isro')).toBe('rw')
})

test('a write that is on its way when the leader goes is not answered, and never arrives', async () => {
  const { clock, ensemble, leader, one, other } = await start()
  const client = await connectTo(one)
  for (const follower of [one, other]) follower.hold()
  client.request(setData, write('lost'))
  await ensemble.until(() => ensemble.outstanding === 1)
  await leader.stop()
  await client.closed
  for (const follower of [one, other]) follower.release() // nobody is there to send it any more
  clock.advance(500)
  expect([client.order, ensemble.get('/a')?.data?.toString()]).toEqual([[], 'old'])
})

test('no session expires during an election, and each has its whole timeout behind it', async () => {
  const { clock, ensemble, leader, one } = await start({ electionTime: 60_000 })
  const { sessionId } = await connectTo(one, { timeOut: 4_000 })
  clock.advance(3_000)
  await leader.stop()
  clock.advance(60_000 + 3_999)
  expect(ensemble.sessions).toMatchObject([{ id: sessionId }])
  clock.advance(1_001)
  expect(ensemble.sessions).toEqual([])
})

test('whoever comes back during an election takes part in it', async () => {
  const { clock, ensemble, leader, one, other } = await start()
  const client = await connectTo(leader)
  for (const follower of [one, other]) follower.hold()
  client.request(setData, write('kept'))
  await ensemble.until(() => ensemble.outstanding === 1)
  await leader.stop()
  clock.advance(499)
  await leader.restart()
  expect(ensemble.leader).toBeNull()
  clock.advance(1)
  expect(leader.isLeader).toBe(true) // it has written down most
  expect(ensemble.get('/a')?.data?.toString()).toBe('kept')
  const { lastZxid } = ensemble
  clock.advance(10_000)
  expect(ensemble.lastZxid).toBe(lastZxid) // nobody elects twice
})

test('an election ends with its majority, and another one takes its whole time', async () => {
  const { clock, ensemble, leader, one } = await start()
  await leader.stop()
  clock.advance(400)
  await one.stop()
  clock.advance(400)
  expect(ensemble.leader).toBeNull()
  await one.restart()
  clock.advance(499)
  expect(ensemble.leader).toBeNull()
  clock.advance(1)
  expect(ensemble.leader).not.toBeNull()
})

test('changeLeader() leaves the members without a leader for a while, and nothing is lost', async () => {
  const { clock, ensemble, leader, one } = await start()
  const client = await connectTo(one)
  await client.call(setData, write('new'))
  ensemble.changeLeader()
  await client.closed
  expect([ensemble.leader, await isServing(leader)]).toEqual([null, false])
  clock.advance(500)
  expect(ensemble.leader).not.toBe(leader)
  const again = await connectTo(leader, resumeRequest(client))
  expect((await again.call(getData, read)).response?.data?.toString()).toBe('new')
})

test('where elections take time, reads are served after two seconds without a leader', async () => {
  const { clock, leader, one } = await start({ readOnlyMode: true, electionTime: 3_000 })
  await leader.stop()
  clock.advance(1_999)
  expect(await isServing(one, true)).toBe(false)
  clock.advance(1)
  expect([await isServing(one), await fourLetterWord(one.port, 'isro')]).toEqual([false, 'ro'])
  const reader = await connectTo(one, { readOnly: true })
  expect(reader.session?.readOnly).toBe(true)
  expect((await reader.call(getData, read)).err).toBe(0)
  clock.advance(1_000)
  await reader.closed
  expect(await isServing(one)).toBe(true)
})

test('members look for no longer when another one goes', async () => {
  const { clock, leader, one, other } = await start({ readOnlyMode: true, electionTime: 9_000 })
  await leader.stop()
  clock.advance(1_500)
  await other.stop()
  clock.advance(500)
  expect(await isServing(one, true)).toBe(true)
})

test('an election that is over sooner shows nobody a read-only server', async () => {
  const { clock, leader, one } = await start({ readOnlyMode: true, readOnlyDelay: 501 })
  await leader.stop()
  clock.advance(500)
  clock.advance(10)
  expect((await connectTo(one, { readOnly: true })).session?.readOnly).toBe(false)
})

test('a member that starts apart from the others serves reads after the same while', async () => {
  const { clock, ensemble, one } = await start({ readOnlyMode: true, readOnlyDelay: 700 })
  ensemble.partition([one])
  await one.stop()
  await one.restart()
  clock.advance(699)
  expect(await isServing(one, true)).toBe(false)
  clock.advance(1)
  expect(await isServing(one, true)).toBe(true)
})

test('a session that is expired during an election ends when there is a leader', async () => {
  const { clock, ensemble, leader, one } = await start()
  const { sessionId } = await connectTo(one)
  await leader.stop()
  const expired = ensemble.expire(sessionId)
  expect(ensemble.sessions).toMatchObject([{ id: sessionId }])
  clock.advance(500)
  await expired
  expect(ensemble.sessions).toEqual([])
})

test('no timer of an election is left when the ensemble has closed', async () => {
  const { clock, ensemble, leader } = await start({ readOnlyMode: true })
  await leader.stop()
  await ensemble.close()
  expect(clock.timerCount).toBe(0)
})
