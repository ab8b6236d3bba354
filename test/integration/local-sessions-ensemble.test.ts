import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StateChange, type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { Lock } from '../../src/recipes/index.ts'
import { errorOf, newChroot, openAt } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts'

// Local sessions: only the member that a client is connected to knows them, so they cost no transaction,
// and end with it. The server's own documents say what is expected here: the administrator's guide,
// localSessionsEnabled.

const sessionTimeout = 6_000

/** An ensemble for a suite. */
function ensembleWith(config: Readonly<Record<string, boolean>>): () => ZooKeeperEnsemble {
  let ensemble: ZooKeeperEnsemble | undefined
  beforeAll(async () => {
    ensemble = await ZooKeeperEnsemble.start({ config })
  })
  afterAll(async () => {
    await ensemble?.[Symbol.asyncDispose]()
  })
  return () => ensemble!
}

/** At one member, as the only one that it knows of or the first one. */
const openedAt = (ensemble: ZooKeeperEnsemble, member: number, root: string) =>
  openAt(ensemble.members[member]!.connectString + root, { sessionTimeout })

/** A follower and the leader, by their index. */
async function kindsOf(ensemble: ZooKeeperEnsemble): Promise<[leader: number, follower: number]> {
  const leader = ensemble.members.indexOf(await ensemble.untilWhole())
  return [leader, leader === 0 ? 1 : 0]
}

function statesOf(zk: ZooKeeper): StateChange['state'][] {
  const states: StateChange['state'][] = []
  void (async () => {
    for await (const { state } of zk.states()) states.push(state)
  })()
  return states
}

describeReal('local sessions', () => {
  const started = ensembleWith({ localSessionsEnabled: true })

  test('C18: read, write and watch, at the leader and at a follower, but own no ephemeral znodes', async () => {
    const ensemble = started()
    const root = await newChroot(ensemble)
    for (const member of await kindsOf(ensemble)) {
      const zk = await openedAt(ensemble, member, root)
      await zk.create(`/a-${member}`, 'x')
      const events: WatchEvent[] = []
      await zk.getData(`/a-${member}`, { watch: (event) => events.push(event) })
      await zk.setData(`/a-${member}`, 'y')
      expect(events).toMatchObject([{ type: 'NodeDataChanged' }])

      const refusal = { code: 'EPHEMERAL_ON_LOCAL_SESSION', errno: -120, outcome: 'not-applied' }
      const ephemeral = { mode: 'ephemeral' } as const
      const { id } = zk.session
      expect(await errorOf(zk.create('/e', '', ephemeral))).toMatchObject(refusal)
      expect(
        await errorOf(zk.create('/e', '', { ...ephemeral, protect: true, idempotent: true })),
      ).toMatchObject(refusal)
      const together = zk.multi().create('/b').create('/e', '', ephemeral).commit()
      // Followers hand a transaction on, and the leader takes whom it does not know for expired (3.9.5).
      expect(await errorOf(together)).toMatchObject({
        code: expect.stringMatching(/^(EPHEMERAL_ON_LOCAL_SESSION|SESSION_EXPIRED)$/) as string,
        outcome: 'not-applied',
      })
      expect(await errorOf(new Lock(zk, '/lock').acquire())).toMatchObject(refusal)
      expect([await zk.exists('/b'), await zk.exists('/e'), zk.session.id]).toEqual([
        null,
        null,
        id,
      ])
    }
  })

  test('go on over another connection to their member', async () => {
    const ensemble = started()
    const zk = await openedAt(ensemble, 0, await newChroot(ensemble))
    const { id } = zk.session
    const session = await zk.exportSession()
    const next = await openAt(ensemble.members[0]!.connectString, { sessionTimeout, session })
    expect(next.session.id).toBe(id)
  })

  test('end with their member: elsewhere they have expired, and another one takes their place', async () => {
    const ensemble = started()
    const root = await newChroot(ensemble)
    const zk = await openAt(ensemble.connectString + root, { sessionTimeout })
    await zk.create('/a', '1')
    const values = zk.observe('/a')
    expect(String((await values.next()).value?.data)).toBe('1')
    const next = values.next()
    const { id } = zk.session
    const states = statesOf(zk)
    const member = ensemble.memberAt(zk.server)
    await member.kill()
    await zk.setData('/a', '2', { idempotent: true, timeout: 20_000 })
    expect(String((await next).value?.data)).toBe('2')
    expect(zk.session.id).not.toBe(id)
    expect(states).toEqual(['suspended', 'expired', 'connecting', 'connected'])
    await values.return(undefined)
    await member.restart()
    await ensemble.untilWhole()
  })

  test('cannot be handed over to a client of another member', async () => {
    const ensemble = started()
    const zk = await openedAt(ensemble, 0, '')
    const session = await zk.exportSession()
    const elsewhere = openAt(ensemble.members[1]!.connectString, { sessionTimeout, session })
    expect(await errorOf(elsewhere)).toMatchObject({ code: 'SESSION_EXPIRED' })
  })
})

describeReal('local sessions that are upgraded', () => {
  const started = ensembleWith({ localSessionsEnabled: true, localSessionsUpgradingEnabled: true })

  test('C18: own ephemeral znodes from the first one on, and move to other members then', async () => {
    const ensemble = started()
    const root = await newChroot(ensemble)
    for (const member of await kindsOf(ensemble)) {
      const zk = await openedAt(ensemble, member, root)
      const { id } = zk.session
      const name = `/e-${member}`
      const { stat } = await zk.create(name, '', { mode: 'ephemeral' })
      expect([stat.ephemeralOwner, zk.session.id]).toEqual([id, id])

      const session = await zk.exportSession()
      const elsewhere = ensemble.members[2]!.connectString + root
      const moved = await openAt(elsewhere, { sessionTimeout, session })
      expect(moved.session.id).toBe(id)
      expect(await moved.getEphemerals()).toEqual([name])
      const held = await new Lock(moved, '/lock').acquire()
      await held.release()
    }
  })

  test('are upgraded by a transaction, too, and by calls behind each other', async () => {
    const ensemble = started()
    const [, follower] = await kindsOf(ensemble)
    const zk = await openedAt(ensemble, follower, await newChroot(ensemble))
    const { id } = zk.session
    const calls = Promise.all([
      zk.create('/a'),
      zk.create('/e', '', { mode: 'ephemeral' }),
      zk.multi().create('/b').create('/f', '', { mode: 'ephemeral' }).commit(),
      zk.getChildren('/'),
    ])
    const { children } = (await calls)[3]
    expect(children.toSorted()).toEqual(['a', 'b', 'e', 'f'])
    expect((await zk.exists('/f'))?.ephemeralOwner).toBe(id)
    await zk.close()
  })
})
