import { afterAll, beforeAll, expect, test } from 'vitest'
import { TestEnsemble } from '../../src/testing/index.ts'
import { fourLetterWord } from '../support/four-letter-word.ts'
import { openAt } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { comparedWords, figuresIn, shapeOf } from '../support/word-shape.ts'
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts'

// As conformance/word-shapes.test.ts, for what members of an ensemble answer otherwise than a lone server.

describeReal('what four-letter words are answered by members', () => {
  let real: ZooKeeperEnsemble
  let ours: TestEnsemble
  beforeAll(async () => {
    real = await ZooKeeperEnsemble.start()
    ours = await TestEnsemble.start({ tickTime: 200 })
  })
  afterAll(async () => {
    await ours?.close()
    await real?.[Symbol.asyncDispose]()
  })

  test.each(['leader', 'follower'] as const)('the %s answers as ZooKeeper’s does', async (part) => {
    const members =
      part === 'leader'
        ? [(await real.leader()).connectString, ours.leader!.address]
        : [(await real.followers())[0]!.connectString, ours.followers[0]!.address]
    const [expected, actual] = [await tellingOf(members[0]!), await tellingOf(members[1]!)]
    expect(actual.shapes).toEqual(expected.shapes)
    for (const name of compared) {
      expect(actual.figures.get(name), name).toBe(expected.figures.get(name))
    }
    const names = [...actual.figures.keys()]
    expect(names.filter((name) => !expected.figures.has(name))).toEqual([])
    expect(names.slice(0, 3)).toEqual(['zk_version', 'zk_server_state', 'zk_peer_state'])
  })

  test('one that looks for a leader answers as ZooKeeper’s does', async () => {
    const [, ...killed] = real.members
    await Promise.all(killed.map((member) => member.kill()))
    const [, ...stopped] = ours.members
    for (const member of stopped) await member.stop()
    await expect.poll(() => real.members[0]!.mode()).toBe('looking')

    for (const word of [...comparedWords, 'mntr', 'crst', 'srst']) {
      const [expected, actual] = await Promise.all(
        [real.members[0]!, ours.members[0]!].map(({ port }) => fourLetterWord(port, word)),
      )
      expect(shapeOf(actual!, []), word).toEqual(shapeOf(expected!, []))
    }
  })
})

/** What a member tells while one client is attached to it. */
async function tellingOf(address: string) {
  const port = Number(address.split(':')[1])
  const zk = await openAt(address, { sessionTimeout: 10_000 })
  await zk.create('/a', '', { mode: 'ephemeral' })
  const shapes: Record<string, string[]> = {}
  for (const word of ['srvr', 'stat', 'conf', 'dump', 'isro']) {
    const lines = shapeOf(await fourLetterWord(port, word), [zk.session.id])
    shapes[word] = lines.map((line) => line.replace(/^serverId=[123]$/, 'serverId=#'))
  }
  const figures = figuresIn(await fourLetterWord(port, 'mntr'))
  await zk.close()
  return { shapes, figures }
}

/** Of `mntr`. Those of a leader are missing at a follower. */
const compared = [
  'zk_server_state',
  'zk_peer_state',
  'zk_quorum_size',
  'zk_learners',
  'zk_synced_followers',
  'zk_synced_non_voting_followers',
  'zk_synced_observers',
  'zk_pending_syncs',
  'zk_num_alive_connections',
  'zk_global_sessions',
  'zk_ephemerals_count',
  'zk_znode_count',
]
