import { expect, test } from 'vitest'
import { type ConnectOptions, type ZooKeeper } from '../../../src/client/index.ts'
import { World } from '../../../src/simulation/world.ts'
import { errorOf } from '../../support/servers.ts'

// Each reply takes a second, in virtual time.

async function within(
  options: ConnectOptions,
  play: (zk: ZooKeeper, world: World) => Promise<unknown>,
): Promise<void> {
  const network = { latencyMsMax: 0, sliceChance: 0, slowWriteChance: 0 }
  const world = new World({ seed: 1, servers: 1, network })
  const run = async () => {
    const zk = await world.connect(options)
    world.quorum.faults.add({ do: 'lag', operation: 'getACL', direction: 'to-client', ms: 1_000 })
    await zk.getACL('/')
    await play(zk, world)
    await zk.close()
  }
  await world.run(run())
}

const late = { code: 'TIMEOUT' }

test.each([
  ['a timeout', {}, { timeout: 2_500 }],
  ['the client’s, if a call has none,', { requestTimeout: 2_500 }, {}],
])('%s is for a create and its ancestors together', async (_, options, limits) => {
  await within(options, async (zk, world) => {
    const beganMs = world.clock.nowMs()
    const error = await errorOf(zk.create('/a/b', '', { parents: true, ...limits }))
    expect(error).toMatchObject({ ...late, outcome: 'unknown' })
    expect(world.clock.nowMs() - beganMs).toBe(2_500)
    // The last of the three requests was on its way.
    expect(await zk.exists('/a/b')).not.toBeNull()
  })
})

test('a timeout is for a transaction and the ancestors it makes together', async () => {
  await within({}, async (zk) => {
    const commit = zk.multi().create('/a/b', '', { parents: true }).commit({ timeout: 2_500 })
    expect(await errorOf(commit)).toMatchObject({ ...late, op: 'multi', outcome: 'unknown' })
  })
})

test('a timeout is for all of a recursive delete', async () => {
  await within({}, async (zk, world) => {
    await zk.create('/a/b/c', '', { parents: true })
    const beganMs = world.clock.nowMs()
    const error = await errorOf(zk.deleteRecursive('/a', { timeout: 3_500 }))
    expect(error).toMatchObject({ ...late, op: 'delete', outcome: 'unknown' })
    expect(world.clock.nowMs() - beganMs).toBe(3_500)
  })
})

test('a recursive delete without a timeout takes longer than one request may', async () => {
  await within({ requestTimeout: 2_500 }, async (zk, world) => {
    for (const path of ['/a', '/a/b', '/a/b/c']) await zk.create(path)
    const beganMs = world.clock.nowMs()
    await zk.deleteRecursive('/a')
    expect(world.clock.nowMs() - beganMs).toBe(4_000) // three levels, and the deletes
  })
})
