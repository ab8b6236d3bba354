import { expect, test } from 'vitest'
import { Contention } from '../support/contention.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { openAt } from '../support/servers.ts'
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts'

// Two minutes by `npm run test:chaos`; a short slice with all other tests.
const seconds = Number(process.env['ZOOWIRE_CHAOS_SECONDS'] ?? 12)

describeReal('leases under faults', () => {
  test.each(['lock', 'election'] as const)(
    `%s: for ${seconds} s members and holders are killed, and no two leases overlap`,
    async (kind) => {
      await using ensemble = await ZooKeeperEnsemble.start({
        config: { maxSessionTimeout: 10_000 },
      })
      const contention = new Contention(ensemble, kind)
      await contention.run(seconds * 1000)

      const grants = contention.grants.sort((a, b) => (a.atNs < b.atNs ? -1 : 1))
      const pairs = grants.slice(1).map((next, i) => [grants[i]!, next] as const)
      expect(pairs.filter(([held, next]) => next.token <= held.token)).toEqual([])
      expect(pairs.filter(([held, next]) => held.endNs === null || next.atNs < held.endNs)).toEqual(
        [],
      )

      expect(contention.served).toBe(10)
      await untilEmpty(ensemble.connectString)
      const { members, processes } = contention.kills
      console.log(
        `${kind}: ${grants.length} leases, ${members} members and ${processes} processes killed`,
      )
    },
    (seconds + 60) * 1000,
  )
})

/** Resolves when no contender is left: those of killed processes go with their sessions. */
async function untilEmpty(connectString: string): Promise<void> {
  const zk = await openAt(connectString)
  const watch = zk.watch('/contended')
  await watch.ready
  for (;;) {
    const stat = await zk.exists('/contended')
    if (stat === null || stat.numChildren === 0) return // the container may be gone, too
    await watch.next()
  }
}
