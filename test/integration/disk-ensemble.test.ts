import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { once } from 'node:events'
import { Lock } from '../../src/recipes/index.ts'
import { judge } from '../support/judge.ts'
import { Load } from '../support/load.ts'
import { isRunnable } from '../support/run-command.ts'
import { errorOf, newChroot, openAt } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { readTransactionLog } from '../support/transaction-log.ts'
import { attachedTo, inWords, reattached, underLoad } from '../support/under-load.ts'
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

// What a server acknowledges stands in its transaction log before. Here the log cannot be written: the
// disk is full (no file may grow; on a tmpfs that was really full ZooKeeper 3.9.5 ended in the same way),
// or it hangs (the thread that writes the log is stopped, and no other).

const canBeFull = await isRunnable('prlimit', '--version')
if (!canBeFull) console.warn('skipped: K6, full disks: there is no `prlimit`')
const whereDisksFill = test.skipIf(!canBeFull)

describeReal('K6: the disk of a lone server', () => {
  whereDisksFill('is full under load: it ends, and has kept what it acknowledged', async () => {
    await using server = await ZooKeeperServer.start()
    const zk = await openAt(server.connectString, { sessionTimeout: 30_000 })
    const { id } = zk.session
    for (const path of ['/load', '/load/value', '/load/made']) await zk.create(path)
    await server.limitFiles(20_001) // in the middle of a transaction
    const load = new Load(zk, '/load')
    await zk.waitFor('suspended')
    await expect.poll(() => server.isRunning).toBe(false)
    await server.restart()
    await zk.waitFor('connected')
    await load.untilSettled(100)
    const report = await load.stop()

    const { untruths, applied, unknown } = judge(report, await readTransactionLog(server.dataDir))
    expect(untruths).toEqual([])
    expect(applied).toBeGreaterThan(100)
    expect(unknown.applied + unknown.notApplied).toBeGreaterThan(0)
    expect([zk.session.id, report.reads.failed]).toEqual([id, 0])
  })

  test('hangs: a write is told as unknown, the session is kept, and it may yet be done', async () => {
    await using server = await ZooKeeperServer.start({ debuggable: true })
    const zk = await openAt(server.connectString, { sessionTimeout: 3_000 })
    const { id } = zk.session
    await zk.create('/a', 'old')
    const stall = await server.stallLog()
    const write = errorOf(zk.setData('/a', 'new'))
    const read = zk.getData('/a') // behind it: the server answers in order
    const suspended = zk.waitFor('suspended')
    expect(await errorOf(zk.setData('/a', 'newer', { timeout: 200 }))).toMatchObject({
      code: 'TIMEOUT',
      outcome: 'unknown',
    })
    await suspended // not even pings are answered
    expect(await write).toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'unknown' })
    stall[Symbol.dispose]()

    expect(String((await read).data)).toBe('newer')
    expect(zk.session.id).toBe(id)
  })
})

describeReal('K6: disks of an ensemble', () => {
  let ensemble: ZooKeeperEnsemble
  beforeAll(async () => {
    ensemble = await ZooKeeperEnsemble.start({ debuggable: true })
  })
  afterAll(async () => {
    await ensemble?.[Symbol.asyncDispose]()
  })

  describe.each(['leader', 'follower'] as const)('the one of the %s', (role) => {
    whereDisksFill(
      'is full: its clients go elsewhere and are told the truth',
      async ({ annotate }) => {
        const zk = await attachedTo(ensemble, role, 9_000)
        const member = ensemble.memberAt(zk.server)
        const verdict = await underLoad(ensemble, zk, async () => {
          await reattached(zk, () => member.limitFiles(0))
          expect(zk.server).not.toBe(member.connectString)
          await member.restart() // with room
        })
        await annotate(inWords(verdict))
      },
      60_000,
    )
  })

  describe('those of a majority hang', () => {
    test('a client under load is told the truth', async ({ annotate }) => {
      const zk = await attachedTo(ensemble, 'leader', 3_000)
      const verdict = await underLoad(ensemble, zk, async () => {
        const stalled = await stallMajority()
        await zk.waitFor('suspended') // where a write waits, pings of its session wait behind it
        stalled.end()
        await zk.waitFor('connected')
      })
      expect(verdict.unknown.applied + verdict.unknown.notApplied).toBeGreaterThan(0)
      await annotate(inWords(verdict))
    }, 60_000)

    test('pings and reads go on, a lease ends, and the next one begins after that', async () => {
      const root = await newChroot(ensemble)
      const opened = async (timeout: number) => {
        const [, follower] = await ensemble.followers()
        return openAt(follower!.connectString + root, { sessionTimeout: timeout })
      }
      const reader = await opened(3_000)
      const states: string[] = []
      void (async () => {
        for await (const { state } of reader.states()) states.push(state)
      })()
      const held = await new Lock(await opened(6_000), '/lock').acquire()
      let isNext = false
      const next = new Lock(await opened(30_000), '/lock').acquire().finally(() => (isNext = true))
      const inLine = async () => (await reader.getChildren('/lock')).children.length
      await expect.poll(inLine).toBe(2)

      const stalled = await stallMajority()
      await once(held.signal, 'abort') // after two thirds of its session timeout
      expect(held.signal.reason).toMatchObject({ code: 'LEASE_LOST' })
      expect([await inLine(), isNext, states]).toEqual([2, false, []])
      stalled.end()
      await using term = await next
      expect(term.fencingToken).toBeGreaterThan(held.fencingToken)
    }, 60_000)
  })

  /** The leader and a follower write down nothing any more; all else goes on. */
  async function stallMajority(): Promise<{ readonly end: () => void }> {
    const [follower] = await ensemble.followers()
    const stalls = await Promise.all(
      [await ensemble.leader(), follower!].map((member) => member.stallLog()),
    )
    return {
      end: () => {
        for (const stall of stalls) stall[Symbol.dispose]()
      },
    }
  }
})
