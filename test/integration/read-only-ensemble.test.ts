import { afterEach, beforeEach, expect, test } from 'vitest'
import { errorOf, openAt } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts'

// Two of three real members are dead, and the third serves reads. Since 3.7 it does so only in sessions
// of its own, which it opens if local sessions are enabled.

const options = { sessionTimeout: 9_000, readOnly: true, backoff: { msMax: 200 } }

describeReal('a member without a quorum', () => {
  let ensemble: ZooKeeperEnsemble
  beforeEach(async () => {
    ensemble = await ZooKeeperEnsemble.start({
      jvmProperties: { 'readonlymode.enabled': true },
      config: { localSessionsEnabled: true, localSessionsUpgradingEnabled: true },
    })
  }, 60_000)
  afterEach(async () => {
    await ensemble?.[Symbol.asyncDispose]()
  })

  test('serves reads; later the client is back with its session', async () => {
    const zk = await openAt(ensemble.connectString, options)
    // An ephemeral makes the session one that every member knows.
    await zk.create('/mine', 'x', { mode: 'ephemeral' })
    const { id } = zk.session
    const serving = ensemble.memberAt(zk.server)
    const members = ensemble.members.filter((member) => member !== serving)
    await Promise.all([serving.kill(), members[0]!.kill()])

    await zk.waitFor('read-only', { timeout: 30_000 })
    expect(zk.server).toBe(members[1]!.connectString)
    expect((await zk.getData('/mine')).data?.toString()).toBe('x')
    expect(await errorOf(zk.setData('/mine', 'y'))).toMatchObject({ code: 'NOT_READ_ONLY' })

    await ensemble.startAll()
    await zk.waitFor('connected', { timeout: 30_000 })
    expect(zk.session.id).toBe(id)
    expect((await zk.exists('/mine'))?.ephemeralOwner).toBe(id)
    await zk.setData('/mine', 'y')
  }, 90_000)

  test('opens a session for reads, which a server that can write replaces', async () => {
    const writer = await openAt(ensemble.connectString)
    await writer.create('/a', 'x')
    await writer.close()
    const [, second, third] = ensemble.members
    await second!.kill()
    await third!.kill()

    const zk = await openAt(ensemble.connectString, { ...options, connectTimeout: 30_000 })
    expect(zk.state).toBe('read-only')
    expect((await zk.getData('/a')).data?.toString()).toBe('x')
    await ensemble.startAll()
    await zk.waitFor('connected', { timeout: 30_000 })
    await zk.setData('/a', 'y')
  }, 90_000)
})
