import { expect } from 'vitest'
import { isZooKeeperError, type Watch, type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { judge, untoldEvents, type Verdict } from './judge.ts'
import { Load } from './load.ts'
import { newChroot, openAt } from './servers.ts'
import { type LoggedTransaction } from './transaction-log.ts'
import { type ZooKeeperEnsemble } from './zookeeper-ensemble.ts'

/**
 * Does `fault`, which must cut the client off, while it reads, writes and watches. Then compares all that
 * it was told with the transaction logs of the ensemble.
 */
export async function underLoad(
  ensemble: ZooKeeperEnsemble,
  zk: ZooKeeper,
  fault: () => Promise<void>,
): Promise<Verdict> {
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

/** The part of a member in its ensemble. */
export type Part = 'leader' | 'follower' | 'observer'

/** Clients choose their server by chance, so one is opened until it has chosen one that is such. */
export async function attachedTo(
  ensemble: ZooKeeperEnsemble,
  part: Part,
  sessionTimeout: number,
): Promise<ZooKeeper> {
  for (;;) {
    await ensemble.untilWhole()
    const zk = await openAt(ensemble.connectString, { sessionTimeout })
    if ((await ensemble.memberAt(zk.server).mode()) === part) return zk
    await zk.close()
  }
}

/** Waits until the client has lost its connection and has another one. */
export async function reattached(zk: ZooKeeper, cut: () => Promise<void> | void): Promise<void> {
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
export function inWords({ applied, notApplied, unknown }: Verdict): string {
  const fate = `${unknown.applied} were applied, ${unknown.notApplied} were not`
  return `writes told as applied: ${applied}, not applied: ${notApplied}; unknown: ${fate}`
}
