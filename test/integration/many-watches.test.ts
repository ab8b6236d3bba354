import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, inject, test } from 'vitest'
import { type ZooKeeper } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { LinkProxy } from '../support/link-proxy.ts'
import { openAt } from '../support/servers.ts'
import { watchCount } from '../support/watch-count.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

// Servers of their own: what they count must be our watches alone. A real one takes its time.
const shared = inject('zookeeper')
const ours: [string, () => Promise<TestServer | ZooKeeperServer>][] = [
  ['in-process server', () => TestServer.start()],
]
if (shared.available) {
  ours.push([`Apache ZooKeeper ${shared.version}`, () => ZooKeeperServer.start()])
} else {
  console.warn(`skipped: many watches on a real server: ${shared.reason}`)
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

describe.each(ours)('watches on a %s', (_, start) => {
  test(`R9: set and taken back, or fired, leave nothing behind`, { timeout: 120_000 }, async () => {
    await using server = await start()
    const zk = await openAt(server.connectString)
    const warnings: Error[] = []
    const warned = (warning: Error) => warnings.push(warning)
    process.on('warning', warned)
    await zk.create('/fires')
    await setAndTakeBack(zk, 0, 2_000)
    collect()
    const before = process.memoryUsage().heapUsed
    await setAndTakeBack(zk, 2_000, 100_000)
    collect()
    const grown = process.memoryUsage().heapUsed - before
    process.off('warning', warned)

    const { data, exist, child, persistent, recursive } = zk.stats().watches
    expect([data, exist, child, persistent, recursive]).toEqual([0, 0, 0, 0, 0])
    expect(await watchCount(server.port)).toBe(0)
    expect(grown).toBeLessThan(16 * 2 ** 20) // what the log of the in-process server may take
    expect(warnings).toEqual([])
  })

  test(
    'R30: 50,000 of long paths are all set again on the next link',
    { timeout: 60_000 },
    async () => {
      await using server = await start()
      await using wire = await LinkProxy.start(server.port)
      const zk = await openAt(wire.connectString, { sessionTimeout: 20_000 })
      const { id } = zk.session
      const name = 'x'.repeat(100)
      const paths = Array.from({ length: 50_000 }, (_, index) => `/${name}${index}`)
      let events = 0
      await Promise.all(paths.map((path) => zk.exists(path, { watch: () => events++ })))
      expect(await watchCount(server.port)).toBe(50_000)

      for (let round = 0; round < 2; round++) {
        wire.cut()
        await zk.waitFor('suspended')
        await zk.waitFor('connected')
        await zk.sync()
        expect(await watchCount(server.port)).toBe(50_000)
      }
      expect(zk.session.id).toBe(id)
      expect(wire.connections).toBe(3)
      for (const path of [paths[0]!, paths[25_000]!, paths[49_999]!]) await zk.create(path)
      await zk.sync()
      expect(events).toBe(3)
    },
  )
})

/** Iterators that are left at once, and one-shot watches that fire, a thousand at a time. */
async function setAndTakeBack(zk: ZooKeeper, from: number, cycles: number): Promise<void> {
  for (let at = from; at < from + cycles; at += 1_000) {
    const watches = Array.from({ length: 1_000 }, (_, index) => zk.watch(`/n${at + index}`))
    await Promise.all(watches.map(({ ready }) => ready))
    const fired = new Promise((resolve) => {
      void zk.getData('/fires', { watch: resolve })
    })
    await Promise.all([...watches.map((watch) => watch.return()), zk.setData('/fires', ''), fired])
    await zk.sync()
  }
}
