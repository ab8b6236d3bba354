/** What a watch owes to whoever set it, and whether it was told. */
import { isZooKeeperError, type Stat, type Watch, type WatchEvent } from '../../src/index.ts'
import { type Tree } from '../../src/testing/tree.ts'
import { type WatchKind } from '../support/watch-model.ts'
import { type Violations } from './violations.ts'

/** A change of the tree, as watches of some kinds tell of it. */
export interface Happened {
  readonly kinds: readonly WatchKind[]
  readonly type: string
  readonly path: string
  readonly zxid: bigint
}

/** A read with a callback: one event, if what was read has changed since, and no other. */
export class OneShotWatch {
  readonly kind: WatchKind
  readonly path: string
  readonly ready: Promise<unknown>
  readonly heard: string[] = []
  readonly #leave: () => void
  readonly #violations: Violations
  /** What was read; undefined before, and if it could not be. */
  #found: Stat | null | undefined
  #isOver = false

  constructor(
    kind: WatchKind,
    path: string,
    read: (watch: (event: WatchEvent) => void) => Promise<Stat | null>,
    leave: () => void,
    violations: Violations,
  ) {
    this.kind = kind
    this.path = path
    this.#leave = leave
    this.#violations = violations
    this.ready = read((event) => this.#hear(event)).then(
      (found) => (this.#found = found),
      (error: unknown) => {
        this.#isOver = true
        if (!isZooKeeperError(error)) throw error
      },
    )
  }

  /** Whether somebody still waits for it. */
  get isWanted(): boolean {
    return !this.#isOver && this.heard.length === 0
  }

  end(_history: readonly Happened[]): void {
    this.#isOver = true
    this.#leave()
  }

  /** In calm: it was told if, and only if, there is something to tell. */
  judge(_history: readonly Happened[], tree: Tree): void {
    if (this.#isOver || this.#found === undefined || this.heard[0] === 'session-expired') return
    const now = tree.get(this.path)?.stat ?? null
    const isChanged = this.#versionOf(now) !== this.#versionOf(this.#found)
    const isTold = this.heard.length > 0
    // What was created and deleted again while there was no link is not told; while there was, it is.
    if (this.#found === null && now === null) return
    this.#expect(isTold === isChanged, isTold ? 'nothing has changed' : 'was told nothing')
  }

  forget(): void {
    // It owes what it owed.
  }

  #versionOf(stat: Stat | null): bigint | null {
    if (stat === null) return null
    return this.kind === 'child' ? stat.pzxid : stat.mzxid
  }

  #hear({ type, path }: WatchEvent): void {
    this.#expect(!this.#isOver, `${type} came, though it was taken back, or never set`)
    this.#expect(this.heard.length === 0, `${type} came after ${this.heard.join()}`)
    this.#expect(path === this.path, `${type} came for ${path}`)
    const isTold = type === 'session-expired' || this.#typesOwed.includes(type)
    this.#expect(isTold, `${type} is none of its events`)
    this.heard.push(type)
  }

  get #typesOwed(): readonly string[] {
    if (this.kind === 'child') return ['NodeChildrenChanged', 'NodeDeleted']
    return this.#found === null ? ['NodeCreated'] : ['NodeDataChanged', 'NodeDeleted']
  }

  #expect(isTrue: boolean, sentence: string): void {
    this.#violations.expect(isTrue, () => `${this.kind} ${this.path}: ${sentence}`)
  }
}

/** A watch that stays: every event, once and in order, but for gaps that begin with a `resync`. */
export class PersistentWatch {
  readonly kind: WatchKind
  readonly path: string
  readonly ready: Promise<unknown>
  readonly heard: string[] = []
  readonly #watch: Watch
  readonly #violations: Violations
  #events: WatchEvent[] = []
  /** What has happened since must be told; null before the server has set it. */
  #setAtZxid: bigint | null = null
  #isOver = false

  constructor(
    kind: WatchKind,
    path: string,
    watch: Watch,
    zxid: () => bigint,
    violations: Violations,
  ) {
    this.kind = kind
    this.path = path
    this.#watch = watch
    this.#violations = violations
    this.ready = watch.ready.then(
      () => (this.#setAtZxid ??= zxid()),
      (error: unknown) => {
        this.#isOver = true
        if (!isZooKeeperError(error)) throw error
      },
    )
  }

  get isWanted(): boolean {
    return !this.#isOver
  }

  end(history: readonly Happened[]): void {
    this.#compare(history, false)
    this.#isOver = true
    void this.#watch.return()
  }

  judge(history: readonly Happened[], _tree: Tree): void {
    if (!this.#isOver) this.#compare(history, true)
  }

  /** What was told so far is compared; what comes is compared with what happens from now on. */
  forget(): void {
    this.#events = []
    this.#setAtZxid = 0n
  }

  /** @param isCalm whether all that has happened must have been told. */
  #compare(history: readonly Happened[], isCalm: boolean): void {
    const owed = history.filter(({ kinds, path }) => kinds.includes(this.kind) && this.#has(path))
    const drained = this.#watch.drain()
    this.#events.push(...drained)
    this.heard.push(...drained.map(({ type }) => type))
    let next =
      this.#setAtZxid === null ? null : owed.findIndex(({ zxid }) => zxid > this.#setAtZxid!)
    if (next === -1) next = owed.length
    let isLoose = true // the next event may be later, or earlier if it is the first, than `next`
    let last = -1
    for (const event of this.#events) {
      if (event.type === 'resync') {
        isLoose = true
        next = null
        continue
      }
      // What a one-shot watch of the path has missed is told behind the resync, to all who watch it.
      if (event.zxid === null && isLoose && next === null) continue
      const at = owed.findIndex((one, i) => i > last && isSame(one, event))
      if (at === -1) return this.#tell(`${inWords(event)} came, which nobody owes`)
      const isGap = isLoose ? next !== null && at > next : at !== last + 1
      if (isGap) return this.#tell(`${inWords(event)} came, but not ${inWords(owed[at - 1]!)}`)
      last = at
      isLoose = false
    }
    if (!isCalm) return
    const mustBeToldFrom = isLoose ? next : last + 1
    const missed = mustBeToldFrom === null ? undefined : owed[mustBeToldFrom]
    if (missed !== undefined) this.#tell(`${inWords(missed)} never came`)
  }

  #has(path: string): boolean {
    return path === this.path || (this.kind === 'recursive' && path.startsWith(`${this.path}/`))
  }

  #tell(sentence: string): void {
    this.#violations.add(`${this.kind} ${this.path}: ${sentence}`)
  }
}

function isSame(happened: Happened, { type, path, zxid }: WatchEvent): boolean {
  return happened.type === type && happened.path === path && happened.zxid === zxid
}

function inWords({ type, path, zxid }: WatchEvent | Happened): string {
  return `${type} ${path} of ${String(zxid)}`
}
