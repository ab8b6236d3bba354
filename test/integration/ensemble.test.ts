import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeReal } from '../support/shared-zookeeper.ts'
import { attachedTo, inWords, reattached, underLoad } from '../support/under-load.ts'
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts'
import { type ZooKeeperServer } from '../support/zookeeper-server.ts'

// Three real servers, and a client under load while one of them, or all, go away and come back.
// Afterwards everything that the client was told is compared with the servers' transaction logs.

/** Long enough that no pause of a loaded machine expires the session. */
const sessionTimeout = 9_000

describeReal('an ensemble of three', () => {
  let ensemble: ZooKeeperEnsemble
  beforeAll(async () => {
    ensemble = await ZooKeeperEnsemble.start()
  })
  afterAll(async () => {
    await ensemble?.[Symbol.asyncDispose]()
  })

  describe.each(['follower', 'leader'] as const)('a client of the %s', (role) => {
    test('tells the truth when that member is killed', async ({ annotate }) => {
      const zk = await attachedTo(ensemble, role, sessionTimeout)
      const member = ensemble.memberAt(zk.server)
      const verdict = await underLoad(ensemble, zk, async () => {
        await reattached(zk, () => member.kill())
        expect(zk.server).not.toBe(member.connectString)
        await member.restart()
      })
      await annotate(inWords(verdict))
    })

    test('tells the truth when that member hangs for a while', async ({ annotate }) => {
      const zk = await attachedTo(ensemble, role, sessionTimeout)
      const member = ensemble.memberAt(zk.server)
      const verdict = await underLoad(ensemble, zk, async () => {
        await reattached(zk, () => {
          member.pause()
        })
        expect(zk.server).not.toBe(member.connectString)
        member.resume()
      })
      await annotate(inWords(verdict))
    })
  })

  test('a client of a follower tells the truth when the leader is killed', async ({ annotate }) => {
    const zk = await attachedTo(ensemble, 'follower', sessionTimeout)
    const leader = await ensemble.leader()
    const verdict = await underLoad(ensemble, zk, async () => {
      await reattached(zk, () => leader.kill())
      await leader.restart()
    })
    await annotate(inWords(verdict))
  })

  test('a client tells the truth when each member in turn is restarted', async ({ annotate }) => {
    const zk = await attachedTo(ensemble, 'follower', sessionTimeout)
    const verdict = await underLoad(ensemble, zk, async () => {
      for (const member of ensemble.members) await restartAsOperator(member)
    })
    await annotate(inWords(verdict))
  }, 60_000)

  test('a client tells the truth when all members are killed and started', async ({ annotate }) => {
    const zk = await attachedTo(ensemble, 'follower', sessionTimeout)
    const verdict = await underLoad(ensemble, zk, async () => {
      await reattached(zk, async () => {
        await ensemble.killAll()
        await ensemble.startAll()
      })
    })
    await annotate(inWords(verdict))
  })

  /** The next one goes down when this one is back, so that there always is a majority. */
  async function restartAsOperator(member: ZooKeeperServer): Promise<void> {
    await member.restart()
    await ensemble.untilWhole()
  }
})
