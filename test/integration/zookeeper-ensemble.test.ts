import { afterAll, beforeAll, expect, test } from 'vitest'
import { openAt } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts'

describeReal('the ensemble that tests start', () => {
  let ensemble: ZooKeeperEnsemble
  beforeAll(async () => {
    ensemble = await ZooKeeperEnsemble.start()
  })
  afterAll(async () => {
    await ensemble?.[Symbol.asyncDispose]()
  })

  test('has one leader, and followers that clients find it by', async () => {
    const leader = await ensemble.leader()
    const followers = await ensemble.followers()
    expect(new Set([leader, ...followers])).toEqual(new Set(ensemble.members))
    expect(followers).toHaveLength(2)

    const zk = await openAt(ensemble.connectString)
    expect(ensemble.memberAt(zk.server).connectString).toBe(zk.server)
  })

  test('has another leader once the leader is dead, and says so of each member', async () => {
    const old = await ensemble.leader()
    await old.kill()

    expect(await old.mode()).toBe('down')
    const next = await ensemble.untilQuorum()
    expect(next).not.toBe(old)
    expect(await next.mode()).toBe('leader')

    await ensemble.startAll()
    expect(await old.mode()).toBe('follower')
  })

  test('has no leader when a majority is dead', async () => {
    const [last, ...others] = ensemble.members
    await Promise.all(others.map((member) => member.kill()))
    await expect.poll(() => last!.mode()).toBe('looking')
    await expect(ensemble.leader()).rejects.toThrow('no leader')
    await ensemble.startAll()
  })

  test('gives a wiped member its data back', async () => {
    const { connectString } = ensemble
    const zk = await openAt(connectString)
    await zk.create('/kept', 'x')
    const [member] = await ensemble.followers()

    await expect(member!.wipe()).rejects.toThrow('runs')
    await member!.stop()
    await member!.wipe()
    await member!.restart()

    const client = await openAt(member!.connectString)
    expect((await client.getData('/kept')).data?.toString()).toBe('x')
  })

  test('has one history, whichever members were away', async () => {
    const zk = await openAt(ensemble.connectString)
    await zk.create('/first')
    const followers = await ensemble.followers()
    const away = followers.find(({ connectString }) => connectString !== zk.server)
    await away!.kill()
    await zk.create('/second')
    await ensemble.startAll()

    const changes = (await ensemble.history()).flatMap((transaction) => transaction.changes)
    const paths = changes.map(({ path }) => path)

    expect(paths.filter((path) => path === '/first' || path === '/second')).toEqual([
      '/first',
      '/second',
    ])
  })
})
