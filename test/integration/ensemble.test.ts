import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isZooKeeperError, type Watch, type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { judge, untoldEvents, type Verdict } from '../support/judge.ts'
import { Load } from '../support/load.ts'
import { newChroot, openAt } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { type LoggedTransaction } from '../support/transaction-log.ts'
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
      const zk = await attachedTo(role)
      const member = ensemble.memberAt(zk.server)
      const verdict = await underLoad(zk, async () => {
        await reattached(zk, () => member.kill())
        expect(zk.server).not.toBe(member.connectString)
        await member.restart()
      })
      await annotate(inWords(verdict))
    })

    test('tells the truth when that member hangs for a while', async ({ annotate }) => {
      const zk = await attachedTo(role)
      const member = ensemble.memberAt(zk.server)
      const verdict = await underLoad(zk, async () => {
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
    const zk = await attachedTo('follower')
    const leader = await ensemble.leader()
    const verdict = await underLoad(zk, async () => {
      await reattached(zk, () => leader.kill())
      await leader.restart()
    })
    await annotate(inWords(verdict))
  })

  test('a client tells the truth when each member in turn is restarted', async ({ annotate }) => {
    const zk = await attachedTo('follower')
    const verdict = await underLoad(zk, async () => {
      for (const member of ensemble.members) await restartAsOperator(member)
    })
    await annotate(inWords(verdict))
  }, 60_000)

  test('a client tells the truth when all members are killed and started', async ({ annotate }) => {
    const zk = await attachedTo('follower')
    const verdict = await underLoad(zk, async () => {
      await reattached(zk, async () => {
        await ensemble.killAll()
        await ensemble.startAll()
      })
    })
    await annotate(inWords(verdict))
  })

  /** Clients choose their server by chance, so one is opened until it has chosen well. */
  async function attachedTo(role: 'leader' | 'follower'): Promise<ZooKeeper> {
    for (;;) {
      const leader = await ensemble.untilWhole()
      const zk = await openAt(ensemble.connectString, { sessionTimeout })
      if ((zk.server === leader.connectString) === (role === 'leader')) return zk
      await zk.close()
    }
  }

  /** The next one goes down when this one is back, so that there always is a majority. */
  async function restartAsOperator(member: ZooKeeperServer): Promise<void> {
    await member.restart()
    await ensemble.untilWhole()
  }

  /** Does `fault` while the client reads, writes and watches, and checks all that it was told. */
  async function underLoad(zk: ZooKeeper, fault: () => Promise<void>): Promise<Verdict> {
    const { id } = zk.session
    const root = await newChroot(ensemble)
    const flag = await raiseFlag(zk, `${root}/flag`)
    await zk.create(`${root}/value`, 'first')
    await zk.create(`${root}/made`)
    const watch = zk.watch(`${root}/made`, { recursive: true })
    await watch.ready
    const events = collect(watch)
    const cuts = countCuts(zk)
    const changed = changeDuringCut(zk, await openAt(ensemble.connectString), flag.path)

    const load = new Load(zk, root)
    await load.untilSettled(200)
    await fault()
    await load.untilSettled(200)
    const report = await load.stop()
    await changed
    await zk.setData(flag.path, 'after')

    const history = await ensemble.history()
    const verdict = judge(report, history)
    expect(zk.session.id).toBe(id)
    expect(verdict.untruths).toEqual([])
    expect(report.reads.failed).toBe(0)
    expect(flag.events).toMatchObject([{ type: 'NodeDataChanged', path: flag.path }])
    expect(events.filter(({ type }) => type === 'resync')).toHaveLength(cuts.count)
    expect(untoldEvents(events, history, `${root}/made`)).toEqual([])
    const { children } = await zk.getChildren(`${root}/made`)
    expect(children.toSorted()).toEqual(createdIn(`${root}/made`, history))
    return verdict
  }
})

/** Waits until the client has lost its connection and has another one. */
async function reattached(zk: ZooKeeper, cut: () => Promise<void> | void): Promise<void> {
  const suspended = zk.waitFor('suspended') // it may be over before the cut is
  await cut()
  await suspended
  await zk.waitFor('connected')
}

interface Flag {
  readonly path: string
  /** What its one-shot watch told. */
  readonly events: readonly WatchEvent[]
}

async function raiseFlag(zk: ZooKeeper, path: string): Promise<Flag> {
  const events: WatchEvent[] = []
  await zk.create(path)
  await zk.getData(path, { watch: (event) => events.push(event) })
  return { path, events }
}

/** Another client, which the fault may hit as well, changes a znode as soon as `zk` is cut off. */
async function changeDuringCut(zk: ZooKeeper, other: ZooKeeper, path: string): Promise<void> {
  await zk.waitFor('suspended')
  for (;;) {
    try {
      await other.setData(path, 'during')
      return
    } catch (error) {
      if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error
    }
  }
}

function countCuts(zk: ZooKeeper): { readonly count: number } {
  const cuts = { count: 0 }
  void (async () => {
    for await (const { state } of zk.states()) if (state === 'suspended') cuts.count++
  })()
  return cuts
}

function collect(watch: Watch): readonly WatchEvent[] {
  const events: WatchEvent[] = []
  void (async () => {
    for await (const event of watch) events.push(event)
  })()
  return events
}

function createdIn(parent: string, history: readonly LoggedTransaction[]): string[] {
  return history
    .flatMap(({ changes }) => changes)
    .filter(({ type, path }) => type === 'create' && path.startsWith(`${parent}/`))
    .map(({ path }) => path.slice(parent.length + 1))
    .sort()
}

/** For `vitest --reporter verbose`: how much a green test has seen. */
function inWords({ applied, notApplied, unknown }: Verdict): string {
  const fate = `${unknown.applied} were applied, ${unknown.notApplied} were not`
  return `writes told as applied: ${applied}, not applied: ${notApplied}; unknown: ${fate}`
}
