import { describe, expect, inject, test } from 'vitest'
import { type ZooKeeper } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { errorOf, openAt } from '../support/servers.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

// Servers of their own, which keep what is created here no longer than the test.
const shared = inject('zookeeper')
const ours: [string, () => Promise<TestServer | ZooKeeperServer>][] = [
  ['in-process server', () => TestServer.start({ logEntriesMax: 1 })],
]
if (shared.available) {
  ours.push([`Apache ZooKeeper ${shared.version}`, () => ZooKeeperServer.start()])
} else {
  console.warn(`skipped: many children on a real server: ${shared.reason}`)
}

const count = 200_000
const perMulti = 2_000

describe.each(ours)('D16: of 200,000 children on a %s', (_, start) => {
  test('the list is too long for a usual client, and comes to one that takes more', async () => {
    await using server = await start()
    const zk = await openAt(server.connectString)
    await zk.create('/many')
    await fill(zk)
    const states = zk.states()

    const error = await errorOf(zk.getChildren('/many'))
    expect(error).toMatchObject({ code: 'REPLY_TOO_LARGE', path: '/many', retriable: false })
    const bytes = /(\d+) bytes/.exec(String(error))?.[1]
    expect(Number(bytes)).toBeGreaterThan(count * 34)
    expect(String(error)).toContain('frameInBytesMax')
    expect((await zk.exists('/many'))?.numChildren).toBe(count) // on the same connection
    await states.return()
    expect(zk.stats().reconnects).toBe(0)

    const patient = await openAt(server.connectString, { frameInBytesMax: Number(bytes) })
    const { children } = await patient.getChildren('/many')
    expect(new Set(children).size).toBe(count)
  }, 60_000)
})

/** Names have 30 bytes, as they may have in a registry. */
async function fill(zk: ZooKeeper): Promise<void> {
  const commits: Promise<unknown>[] = []
  for (let at = 0; at < count; at += perMulti) {
    const multi = zk.multi()
    for (let i = at; i < at + perMulti; i++) multi.create(`/many/${String(i).padStart(30, 'n')}`)
    commits.push(multi.commit())
  }
  await Promise.all(commits)
}
