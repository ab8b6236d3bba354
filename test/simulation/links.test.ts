import { expect, test } from 'vitest'
import { type ConnectOptions, isZooKeeperError, type ZooKeeper } from '../../src/index.ts'
import { type Dial, World } from '../../src/simulation/world.ts'

// Hours of trouble with links and hosts, in seconds: docs/failure-scenarios.md says what B1 and so on are.

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const patient: ConnectOptions = { connectTimeout: Infinity }

test('B1: for a day in which all hosts refuse, dials keep their pace and calls their deadlines', async () => {
  const world = new World({ seed: 1 })
  await world.run(
    (async () => {
      const zk = await world.connect({ ...patient, sessionTimeout: 18_000 })
      for (const host of world.network.hosts.values()) host.isUp = false
      for (const connection of world.network.connections) connection.cut()
      await world.sleep(hourMs)
      const before = world.dials.length
      for (let hours = 0; hours < 23; hours++) {
        const askedMs = world.clock.nowMs()
        const fate = await fateOf(zk.setData('/a', 'x', { timeout: 20_000 }))
        expect([fate, world.clock.nowMs() - askedMs]).toEqual(['not-applied', 20_000])
        await world.sleep(hourMs - 20_000)
        expect(world.network.connections.size).toBeLessThanOrEqual(1)
      }
      const dials = world.dials.slice(before)
      // Pauses of 3 s on average: anywhere below a third of the session timeout.
      expect(dials.length / (23 * 60)).toBeGreaterThan(15)
      expect(dials.length / (23 * 60)).toBeLessThan(25)
      expect(fullest(dials, 10_000)).toBeLessThan(25) // the average is 3
      await zk.close()
    })(),
  )
})

test('B9: while a link breaks every 200 ms for ten minutes, every write ends once, as it is told', async () => {
  const world = new World({ seed: 2 })
  let mostLinks = 0
  await world.run(
    (async () => {
      const zk = await world.connect({ ...patient, sessionTimeout: 6_000 })
      const { id } = zk.session
      const endMs = world.clock.nowMs() + 10 * minuteMs
      const flap = () => {
        mostLinks = Math.max(mostLinks, world.network.connections.size)
        for (const connection of world.network.connections) connection.cut()
        if (world.clock.nowMs() < endMs) world.clock.timer(world.clock.nowMs() + 200, flap)
      }
      flap()
      const told: Promise<readonly [path: string, fate: string]>[] = []
      for (let n = 0; world.clock.nowMs() < endMs; n++) {
        const path = `/${n}`
        told.push(fateOf(zk.create(path, 'x')).then((fate) => [path, fate] as const))
        await world.sleep(35)
      }
      const counts: Record<string, number> = {}
      for (const [path, fate] of await Promise.all(told)) {
        const isDone = world.quorum.state.tree.get(path) !== undefined
        const truths = isDone ? ['applied', 'unknown'] : ['not-applied', 'unknown']
        expect(truths, `${path} is ${isDone ? '' : 'not '}there`).toContain(fate)
        counts[fate] = (counts[fate] ?? 0) + 1
      }
      expect(counts['applied']).toBeGreaterThan(told.length / 2)
      expect(counts['unknown']).toBeGreaterThan(told.length / 50)
      await zk.waitFor('connected')
      expect(zk.session.id).toBe(id)
      expect(zk.stats()).toMatchObject({ inFlight: 0, waiting: { calls: 0, bytes: 0 } })
      expect(zk.stats().reconnects).toBeGreaterThan(2_000)
      await zk.close()
    })(),
  )
  expect(mostLinks).toBe(1)
})

// The first dial after a loss is immediate, and nobody is there to be troubled by it. What must not come
// all at once is what meets the servers when they are back.
test.each([10_000, 30_000])(
  'B13: a thousand clients come back one by one to an ensemble that was away for %i ms',
  async (awayMs) => {
    const world = new World({ seed: 3, eventsMax: 2_000_000 })
    await world.run(
      (async () => {
        const dialled = Array.from({ length: 1_000 }, () => world.connect(patient))
        const clients = await Promise.all(dialled)
        await world.sleep(10_000)
        world.restart(awayMs)
        await Promise.all(clients.map((zk) => zk.waitFor('suspended', { timeout: Infinity })))
        await world.sleep(awayMs - 1_000)
        const backMs = world.clock.nowMs()
        const ids = clients.map(({ session }) => session.id)
        await Promise.all(clients.map((zk) => zk.waitFor('connected', { timeout: Infinity })))
        const tookMs = world.clock.nowMs() - backMs
        const dials = world.dials.filter(({ atMs }) => atMs >= backMs)
        const mean = dials.length / (tookMs / 100)
        expect(fullest(dials, 100)).toBeLessThanOrEqual(3 * mean)
        expect(tookMs).toBeLessThan(12_000)
        expect(clients.map(({ session }) => session.id)).toEqual(ids)
        await Promise.all(clients.map((zk) => zk.close()))
      })(),
    )
  },
)

/** What a write was told to have become. */
async function fateOf(write: ReturnType<ZooKeeper['create' | 'setData']>): Promise<string> {
  try {
    await write
    return 'applied'
  } catch (error) {
    if (!isZooKeeperError(error)) throw error
    return error.outcome
  }
}

/** The most dials within any time of that length. */
function fullest(dials: readonly Dial[], ms: number): number {
  let most = 0
  for (let first = 0, last = 0; last < dials.length; last++) {
    while (dials[last]!.atMs - dials[first]!.atMs >= ms) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}
