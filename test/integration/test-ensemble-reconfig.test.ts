/** `reconfig` of ensembles in this process, as reconfig-ensemble.test.ts shows it of real ones. */
import { expect, onTestFinished, test } from 'vitest'
import { type EnsembleMember, type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { TestEnsemble, type TestEnsembleOptions, TestServer } from '../../src/testing/index.ts'
import { errorOf, openAt } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ManualClock } from '../unit/testing/manual-clock.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

const superDigest = 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs=' // super:admin
const superUser = { auth: [{ scheme: 'digest', auth: 'super:admin' }] }

async function start(options: TestEnsembleOptions = {}): Promise<TestEnsemble> {
  const ensemble = await TestEnsemble.start({ reconfigEnabled: true, superDigest, ...options })
  onTestFinished(() => ensemble.close())
  return ensemble
}

function idsOf(members: readonly EnsembleMember[]): number[] {
  return members.map(({ id }) => id).sort()
}

async function leaderOf(ensemble: TestEnsemble): Promise<number> {
  await ensemble.until(() => ensemble.leader !== null)
  return ensemble.leader!.id
}

test('an ensemble tells who it is, also behind the loss of all data', async () => {
  const ensemble = await start()
  const zk = await openAt(ensemble.connectString)
  const { members, version, stat } = await zk.getConfig()
  expect(idsOf(members)).toEqual([1, 2, 3])
  expect(members.map(({ client }) => client?.port)).toEqual(ensemble.members.map((one) => one.port))
  expect([version, stat.version]).toEqual([0n, -1])
  ensemble.wipe()
  const again = await openAt(ensemble.connectString)
  expect(idsOf((await again.getConfig()).members)).toEqual([1, 2, 3])
})

test('a reconfig takes in an outsider and lets it go, and tells those who watch', async () => {
  const ensemble = await start({ outsiders: 1 })
  const [outsider] = ensemble.outsiders
  const zk = await openAt(ensemble.connectString, superUser)
  const there = await openAt(outsider!.address)
  const told = new Promise<WatchEvent>((resolve) => void there.getConfig({ watch: resolve }))
  const { version: before } = await there.getConfig()

  const joined = await zk.reconfig({ joining: [outsider!.configLine], fromConfig: before })
  expect(idsOf(joined.members)).toEqual([1, 2, 3, 4])
  expect(joined.version).toBe(ensemble.lastZxid)
  expect(await told).toMatchObject({ type: 'NodeDataChanged', path: '/zookeeper/config' })
  expect(await there.getConfig()).toEqual(joined)
  const stale = await errorOf(zk.reconfig({ leaving: [4], fromConfig: before }))
  expect(stale).toMatchObject({ code: 'BAD_VERSION' })
  const left = await zk.reconfig({ leaving: [4], fromConfig: joined.version })
  expect(idsOf(left.members)).toEqual([1, 2, 3])
})

test('only those vote whom the configuration names', async () => {
  const ensemble = await start({ outsiders: 2 })
  const zk = await openAt(ensemble.connectString, superUser)
  const [first, second] = ensemble.outsiders
  await first!.stop()
  await second!.stop()
  expect(ensemble.leader).not.toBeNull() // three of three, not three of five
  await first!.restart()
  await second!.restart()

  await zk.reconfig({ joining: [first!.configLine, second!.configLine] })
  for (const follower of ensemble.followers.slice(0, 2)) await follower.stop()
  expect(ensemble.leader).not.toBeNull() // three of five
  await ensemble.outsiders[0]!.stop()
  expect(ensemble.leader).toBeNull()
})

test('a leader that is no member any more is followed by another', async () => {
  const ensemble = await start()
  const zk = await openAt(ensemble.connectString, superUser)
  const id = await leaderOf(ensemble)
  const { members } = await zk.reconfig({ leaving: [id] })
  expect(idsOf(members)).not.toContain(id)
  await ensemble.until(() => ensemble.leader?.id !== id)
  expect(idsOf((await zk.getConfig({ sync: true })).members)).toEqual(idsOf(members))
})

test('a leader that is no member any more leaves no timer behind a closed ensemble', async () => {
  const clock = new ManualClock()
  const ensemble = await start({ clock })
  const zk = await openAt(ensemble.connectString, superUser)
  await zk.reconfig({ leaving: [ensemble.leader!.id] })
  await ensemble.close()
  expect(clock.timerCount).toBe(0)
})

test('a reconfig that cannot be is refused, and changes nothing', async () => {
  const ensemble = await start({ outsiders: 2 })
  const zk = await openAt(ensemble.connectString, superUser)
  const nobody = await openAt(ensemble.connectString)
  const codeOf = async (change: Parameters<ZooKeeper['reconfig']>[0], client = zk) =>
    errorOf(client.reconfig(change))

  expect(await codeOf({ leaving: [3] }, nobody)).toMatchObject({ code: 'NO_AUTH' })
  expect(await codeOf({ leaving: [1, 2] })).toMatchObject({ code: 'BAD_ARGUMENTS' })
  expect(await codeOf({ joining: ['server.4=x'] })).toMatchObject({ code: 'BAD_ARGUMENTS' })
  const joining = ['server.8=10.0.0.8:1:2;3', 'server.9=10.0.0.9:1:2;3']
  const leaving = [1, 2]
  expect(await codeOf({ joining, leaving })).toMatchObject({ code: 'NEW_CONFIG_NO_QUORUM' })
  expect(idsOf((await zk.getConfig()).members)).toEqual([1, 2, 3])
})

test('a reconfig happens when a majority of those who will vote has it, too', async () => {
  const ensemble = await start({ outsiders: 2 })
  const zk = await openAt(ensemble.leader!.address, superUser)
  const other = await openAt(ensemble.followers[1]!.address)
  const late = [ensemble.followers[0]!, ...ensemble.outsiders]
  for (const member of late) member.hold()
  const joining = ensemble.outsiders.map(({ configLine }) => configLine)
  const change = zk.reconfig({ joining })
  await ensemble.until(() => ensemble.outstanding === 1) // two of three have it, and two of five
  expect(idsOf((await other.getConfig()).members)).toEqual([1, 2, 3])
  ensemble.outsiders[0]!.release()
  expect(idsOf((await change).members)).toEqual([1, 2, 3, 4, 5])
})

test('behind a reconfig its voters count at once', async () => {
  const ensemble = await start({ members: 5 })
  const { leader, followers } = ensemble
  const zk = await openAt(leader!.address, superUser)
  await zk.create('/a')
  const [, third, ...leaving] = followers
  for (const member of [third!, ...leaving]) member.hold()
  const change = zk.reconfig({ leaving: leaving.map(({ id }) => id) })
  const write = zk.setData('/a', 'x')
  await ensemble.until(() => ensemble.outstanding === 2)
  third!.release(1) // three of five have the reconfig, and only two the write: two of three
  expect((await change).members).toHaveLength(3)
  await write
})

test('a reconfig is refused where nobody has allowed it', async () => {
  const ensemble = await start({ reconfigEnabled: false })
  const zk = await openAt(ensemble.connectString, superUser)
  expect(await errorOf(zk.reconfig({ leaving: [3] }))).toMatchObject({ code: 'RECONFIG_DISABLED' })
})

describeReal('a lone server that allows reconfig', () => {
  test('does not know it, like the in-process one', async () => {
    await using real = await ZooKeeperServer.start({ config: { reconfigEnabled: true } })
    await using ours = await TestServer.start({ reconfigEnabled: true, superDigest })
    for (const { connectString } of [real, ours]) {
      const zk = await openAt(connectString, superUser)
      const error = await errorOf(zk.reconfig({ leaving: [1] }))
      expect(error).toMatchObject({ code: 'UNIMPLEMENTED', op: 'reconfig' })
      expect((await zk.create(`/still-there`)).path).toBe('/still-there')
    }
  })
})
