/**
 * One client that watches, takes back and watches again, on a few znodes that another one changes, while
 * its links break and its sessions expire. Every so often there is calm, and then each watch must have
 * told what it owes, once, and the server must watch what somebody wants, and no more.
 */
import { type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { type Prng } from '../../src/testing/prng.ts'
import { World } from '../../src/simulation/world.ts'
import { told, type WatchKind, watchKinds } from '../support/watch-model.ts'
import { OneShotWatch, PersistentWatch, type Happened } from './owed-events.ts'
import { Violations } from './violations.ts'

export interface StormReport {
  readonly seed: number
  readonly violations: readonly string[]
  readonly digest: string
  readonly events: number
  readonly simulatedMs: number
  /** How often watches were told what. */
  readonly told: Readonly<Record<string, number>>
}

const roots = ['/w/0', '/w/1', '/w/2'] as const
const paths = roots.flatMap((root) => [root, `${root}/a`, `${root}/b`])
const stepsBetweenCalms = 500
const stepsInCalm = 50
/** The first client of a world. */
const watching = 1

export async function watchStorm(seed: number, steps: number): Promise<StormReport> {
  const world = new World({ seed, eventsMax: 200 * steps + 100_000 })
  const violations = new Violations()
  const storm = new Storm(world, violations)
  try {
    await world.run(storm.play(steps))
  } catch (error) {
    violations.add(`the run ended with ${String(error)}`)
  }
  const { events, clock } = world
  return {
    seed,
    violations: violations.list,
    digest: world.digest(),
    events,
    simulatedMs: clock.nowMs(),
    told: storm.told,
  }
}

type Watch = OneShotWatch | PersistentWatch

class Storm {
  readonly told: Record<string, number> = {}
  readonly #world: World
  readonly #violations: Violations
  readonly #dice: Prng
  readonly #history: Happened[] = []
  readonly #watches = new Set<Watch>()
  #watcher!: ZooKeeper
  #changer!: ZooKeeper

  constructor(world: World, violations: Violations) {
    this.#world = world
    this.#violations = violations
    this.#dice = world.dice.fork()
  }

  async play(steps: number): Promise<void> {
    const options = { sessionTimeout: 6_000, connectTimeout: Infinity, requestTimeout: Infinity }
    this.#watcher = await this.#world.connect(options)
    this.#changer = await this.#world.connect(options)
    for (const path of ['/clock', '/w', ...roots]) await this.#changer.create(path)
    for (let step = 1; step <= steps && this.#violations.list.length === 0; step++) {
      await this.#step()
      if (step % stepsBetweenCalms === 0 || step === steps) await this.#calm()
    }
    await this.#leaveAll()
    await Promise.all([this.#watcher.close(), this.#changer.close()])
  }

  async #step(): Promise<void> {
    const dice = this.#dice
    const at = dice.next()
    if (at < 0.3) this.#watch()
    else if (at < 0.5) this.#unwatch()
    else if (at < 0.8) await this.#change()
    else if (at < 0.85) this.#trouble()
    else if (at < 0.851) this.#expire()
    else await this.#world.sleep(dice.int(0, 100))
  }

  #watch(): void {
    const path = this.#dice.pick([...paths, '/w'])
    const kind = this.#dice.pick(watchKinds)
    this.#watches.add(watchOf(this.#watcher, kind, path, this.#world, this.#violations))
  }

  #unwatch(): void {
    if (this.#watches.size === 0) return
    const watch = this.#dice.pick([...this.#watches])
    this.#leave(watch)
  }

  #leave(watch: Watch): void {
    this.#watches.delete(watch)
    watch.end(this.#history)
    for (const type of watch.heard) this.told[type] = (this.told[type] ?? 0) + 1
  }

  /** One to three changes in one transaction, whose zxid a last one tells. */
  async #change(): Promise<void> {
    const { tree } = this.#world.quorum.state
    const changes: { change: 'create' | 'set' | 'delete'; path: string }[] = []
    const multi = this.#changer.multi()
    const dice = this.#dice
    for (const path of new Set([dice.pick(paths), dice.pick(paths), dice.pick(paths)])) {
      if (changes.length > 0 && dice.chance(0.5)) break
      // One change within each root, so that none of them depends on another.
      if (changes.some((earlier) => earlier.path.slice(0, 4) === path.slice(0, 4))) continue
      const znode = tree.get(path)
      if (znode === undefined) {
        if (tree.get(path.slice(0, 4)) === undefined && path.length > 4) continue
        changes.push({ change: 'create', path })
        multi.create(path)
      } else if (znode.children.size > 0 || dice.chance(0.5)) {
        changes.push({ change: 'set', path })
        multi.setData(path, '')
      } else {
        changes.push({ change: 'delete', path })
        multi.delete(path)
      }
    }
    const results = await multi.setData('/clock', '').commit()
    const { mzxid } = results.at(-1) as { readonly mzxid: bigint }
    for (const { change, path } of changes) {
      this.#history.push(...told(change, path).map((one) => ({ ...one, zxid: mzxid })))
    }
  }

  #trouble(): void {
    const connections = this.#connections
    if (connections.length === 0) return
    const connection = this.#dice.pick(connections)
    const cut = () => connection.cut()
    const at = this.#dice.next()
    if (at < 0.4) return cut()
    if (at < 0.5) return connection.hold(this.#dice.int(10, 1_000))
    const pipe = at < 0.7 ? connection.toServer : connection.toClient
    let left = this.#dice.int(0, 300)
    pipe.cutAt(({ length }) => {
      if (length >= left) return left
      left -= length
      return null
    }, cut)
  }

  #expire(): void {
    this.#world.quorum.state.expire(this.#watcher.session.id)
  }

  get #connections() {
    return [...this.#world.network.connections].filter(
      ({ clientNumber }) => clientNumber === watching,
    )
  }

  /** A new link, which has no fault. */
  async #reconnect(): Promise<void> {
    for (const connection of this.#connections) connection.cut()
    await this.#world.sleep(100)
    await this.#watcher.waitFor('connected', { timeout: Infinity })
  }

  /** Nothing is under way any more, and all is as it should be. */
  async #judge(): Promise<void> {
    await Promise.allSettled([...this.#watches].map(({ ready }) => ready))
    for (let round = 0; round < 4; round++) await this.#watcher.sync() // to remove may take two steps
    for (const watch of this.#watches) watch.judge(this.#history, this.#world.quorum.state.tree)
    this.#judgeTable()
  }

  /** Twice: the first time on a link that was told of the watches, then on one that has set them. */
  async #calm(): Promise<void> {
    await this.#reconnect()
    await this.#judge()
    for (let step = 0; step < stepsInCalm; step++) {
      const at = this.#dice.next()
      if (at < 0.4) this.#watch()
      else if (at < 0.8) this.#unwatch()
      else await this.#change()
    }
    await this.#judge()
    for (const watch of [...this.#watches]) {
      if (!watch.isWanted || this.#dice.chance(0.5)) this.#leave(watch)
    }
    this.#history.length = 0 // what was is told: those that go on begin anew here
    for (const watch of this.#watches) watch.forget()
  }

  async #leaveAll(): Promise<void> {
    for (const watch of [...this.#watches]) this.#leave(watch)
    await this.#judge()
  }

  /** The server watches each path in a way that serves all who want it, and nothing else. */
  #judgeTable(): void {
    const { id } = this.#watcher.session
    const { dataEntries, childEntries } = this.#world.memberOf(this.#watcher)!.state.watches
    const ours = (entries: typeof dataEntries) =>
      new Set(
        entries.flatMap(({ path, mode, watcher }) =>
          watcher.sessionId === id ? `${mode} ${path}` : [],
        ),
      )
    const [data, child] = [ours(dataEntries), ours(childEntries)]
    for (const path of new Set([...data, ...child].map((entry) => entry.split(' ')[1]!))) {
      this.#violations.expect(this.#wanted(path).size > 0, () => `nobody wants ${path}`)
    }
    for (const path of [...paths, '/w']) {
      const wanted = this.#wanted(path)
      const isIn = (entries: ReadonlySet<string>, ...modes: string[]) =>
        modes.some((mode) => entries.has(`${mode} ${path}`))
      const tellsAll = isIn(data, 'recursive')
      const isServed: Record<WatchKind, boolean> = {
        data: isIn(data, 'oneShot', 'persistent', 'recursive'),
        exist: isIn(data, 'oneShot', 'persistent', 'recursive'),
        child: tellsAll || isIn(child, 'oneShot', 'persistent'),
        persistent: tellsAll || (isIn(data, 'persistent') && isIn(child, 'persistent')),
        recursive: tellsAll,
      }
      for (const kind of wanted) {
        this.#violations.expect(isServed[kind], () => `the server forgot ${kind} ${path}`)
      }
      this.#violations.expect(
        wanted.has('recursive') || !tellsAll,
        () => `the server watches recursively what nobody does: ${path}`,
      )
    }
  }

  #wanted(path: string): Set<WatchKind> {
    const wanting = [...this.#watches].filter((watch) => watch.path === path && watch.isWanted)
    return new Set(wanting.map(({ kind }) => kind))
  }
}

function watchOf(
  zk: ZooKeeper,
  kind: WatchKind,
  path: string,
  { quorum }: World,
  violations: Violations,
): Watch {
  const zxid = () => quorum.state.lastZxid
  if (kind === 'persistent' || kind === 'recursive') {
    const watch = zk.watch(path, { recursive: kind === 'recursive' })
    return new PersistentWatch(kind, path, watch, zxid, violations)
  }
  const leaving = new AbortController()
  const read = (watch: (event: WatchEvent) => void) => {
    const options = { watch, watchSignal: leaving.signal }
    if (kind === 'exist') return zk.exists(path, options)
    const reading = kind === 'data' ? zk.getData(path, options) : zk.getChildren(path, options)
    return reading.then(({ stat }) => stat)
  }
  return new OneShotWatch(kind, path, read, () => leaving.abort(), violations)
}
