import { afterAll, beforeAll, expect, test } from 'vitest'
import { isZooKeeperError, type StateChange, type ZooKeeper } from '../../src/index.ts'
import { newChroot, openAt } from '../support/servers.ts'
import { describeEnsembles } from '../support/ensembles.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts'

// What becomes of sessions when the servers change.

const sessionTimeout = 9_000

describeReal('sessions on an ensemble of three', () => {
  let ensemble: ZooKeeperEnsemble
  beforeAll(async () => {
    ensemble = await ZooKeeperEnsemble.start()
  })
  afterAll(async () => {
    await ensemble?.[Symbol.asyncDispose]()
  })

  const addressOf = (member: number) => ensemble.members[member]!.connectString

  test('a client follows another list of servers, and no write is left unknown', async () => {
    const root = await newChroot(ensemble)
    const zk = await openAt(addressOf(0) + root, { sessionTimeout })
    const { id } = zk.session
    await zk.create('/mine', '', { mode: 'ephemeral' })
    const writes = Array.from({ length: 200 }, (_, i) => zk.setData('/mine', String(i)))

    zk.updateServers(`${addressOf(1)},${addressOf(2)}`)
    await zk.waitFor('suspended')
    await zk.waitFor('connected')
    await Promise.all(writes)

    expect([addressOf(1), addressOf(2)]).toContain(zk.server)
    expect(zk.session.id).toBe(id)
    expect((await zk.getData('/mine')).data?.toString()).toBe('199')
  })

  test('a client follows a reconfiguration off the member that is removed', async () => {
    const auth = [{ scheme: 'digest', auth: 'super:admin' }]
    const admin = await openAt(`${addressOf(1)},${addressOf(2)}`, { sessionTimeout, auth })
    const zk = await openAt(addressOf(0), { sessionTimeout, followConfig: true })
    const { id } = zk.session
    const { text } = await admin.getConfig()
    const joining = text.split('\n').filter((line) => line.startsWith('server.1='))

    await admin.reconfig({ leaving: [1] })
    await expect.poll(() => [addressOf(1), addressOf(2)].includes(zk.server ?? '')).toBe(true)
    expect(zk.session.id).toBe(id)
    await admin.reconfig({ joining })
    await ensemble.untilWhole()
  })
})

describeEnsembles('sessions whose members change', (ensemble) => {
  const all = () => ensemble().addresses.join(',')
  const at = (member: number) => ensemble().addresses[member]!
  const chroot = () => newChroot({ connectString: all(), version: '' })

  test('a session outlives the change of the leader, and so do its ephemerals', async () => {
    const zk = await openAt(all(), { sessionTimeout })
    const { id } = zk.session
    const { path, stat } = await zk.create('/led-', '', { mode: 'ephemeral-sequential' })
    const suspended = zk.waitFor('suspended') // followers, too, close connections
    await ensemble().kill(await ensemble().leader())
    await suspended
    await zk.waitFor('connected', { timeout: 30_000 })
    const { mzxid } = await zk.setData(path, 'x')

    expect(mzxid >> 32n).toBeGreaterThan(stat.czxid >> 32n)
    expect([zk.session.id, (await zk.exists(path))?.ephemeralOwner]).toEqual([id, id])
    await ensemble().mend()
  }, 60_000)

  test('a session goes to a client of another member, with its ephemerals', async () => {
    const root = await chroot()
    const first = await openAt(at(0) + root, { sessionTimeout })
    await first.create('/mine', '', { mode: 'ephemeral' })
    const session = await first.exportSession()
    const second = await openAt(at(1) + root, { sessionTimeout, session: session.reveal() })

    expect(second.session.id).toBe(session.id)
    expect((await second.exists('/mine'))?.ephemeralOwner).toBe(session.id)
    await second.close()
    const other = await openAt(at(2) + root)
    expect(await other.exists('/mine', { sync: true })).toBeNull()
  })

  // The member that a session has moved away from closes the connection at the next write on it.
  test('of two clients that use one session at two members, one gives it up', async () => {
    const root = await chroot()
    const session = await (await openAt(at(0), { sessionTimeout })).exportSession()
    const options = { sessionTimeout, session, onExpired: 'close' } as const
    const clients = [await openAt(at(0) + root, options), await openAt(at(1) + root, options)]
    const writing = clients.map((zk, i) => keepWriting(zk, `/${i}`))
    const loser = await Promise.race(
      clients.map(async (zk, i) => {
        await zk.waitFor('closed', { timeout: 30_000 })
        return i
      }),
    )
    const winner = clients[1 - loser]!
    await winner.waitFor('connected')
    expect([(await winner.exists('/')) !== null, winner.session.id]).toEqual([true, session.id])
    await winner.close()
    expect((await Promise.all(writing))[loser]).toBe('SESSION_MOVED')
  }, 60_000)

  test('an ensemble that lost everything ends the session, and says why', async () => {
    const zk = await openAt(all(), { sessionTimeout: 2_000 })
    const { id } = zk.session
    await zk.create('/gone')
    const changes = record(zk)
    await ensemble().wipe()
    await zk.waitFor('expired', { timeout: 30_000 })
    await zk.waitFor('connected', { timeout: 30_000 })

    const expired = changes.find(({ state }) => state === 'expired')
    expect(expired).toMatchObject({ reason: 'data-lost', sessionId: id })
    expect(await zk.exists('/gone')).toBeNull()
  }, 90_000)
})

/** Writes one behind the other until the client has ended, and tells how it ended. */
async function keepWriting(zk: ZooKeeper, path: string): Promise<string> {
  for (;;) {
    try {
      await zk.setData(path, '')
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
      if (error.code === 'CLOSED' || error.code === 'SESSION_MOVED') return error.code
      if (error.code === 'NO_NODE') await zk.create(path).catch(() => undefined)
    }
  }
}

function record(zk: ZooKeeper): StateChange[] {
  const changes: StateChange[] = []
  void (async () => {
    for await (const change of zk.states()) changes.push(change)
  })()
  return changes
}
