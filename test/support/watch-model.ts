/** Watchers of every kind, what they hear, and what they ought to hear. */
import { expect } from 'vitest'
import { type Watch, type WatchEvent, type ZooKeeper } from '../../src/index.ts'

export const watchKinds = ['data', 'exist', 'child', 'persistent', 'recursive'] as const
export type WatchKind = (typeof watchKinds)[number]

/** A change of the tree, as each kind of watch tells of it. */
interface Told {
  readonly kinds: readonly WatchKind[]
  readonly type: string
  readonly path: string
}

/** One watcher of one kind, on one path. */
export class Watching {
  readonly kind: WatchKind
  readonly path: string
  /** Resolves when the server has set the watch. */
  readonly ready: Promise<unknown>
  /** Whether it has heard all there is to hear, or was taken back. */
  isOver = false
  readonly #heard: string[] = []
  readonly #expected: string[] = []
  readonly #abort = new AbortController()
  readonly #watch: Watch | null = null

  constructor(zk: ZooKeeper, kind: WatchKind, path: string) {
    this.kind = kind
    this.path = path
    const watch = (event: WatchEvent) => this.#heard.push(`${event.type} ${event.path}`)
    const options = { watch, watchSignal: this.#abort.signal }
    if (kind === 'data') this.ready = zk.getData(path, options)
    else if (kind === 'exist') this.ready = zk.exists(path, options)
    else if (kind === 'child') this.ready = zk.getChildren(path, options)
    else {
      this.#watch = zk.watch(path, { recursive: kind === 'recursive' })
      this.ready = this.#watch.ready
    }
  }

  get isOneShot(): boolean {
    return this.#watch === null
  }

  /** Takes it back. It must not hear anything from here on. */
  end(): void {
    this.check()
    this.isOver = true
    this.#abort.abort()
    void this.#watch?.return()
  }

  /** Something was changed while it watched. */
  expect(changes: readonly Told[]): void {
    for (const { kinds, type, path } of changes) {
      if (this.isOver || !kinds.includes(this.kind) || !this.#concerns(path)) continue
      this.#expected.push(`${type} ${path}`)
      if (this.isOneShot) this.isOver = true
    }
  }

  check(): void {
    for (const event of this.#watch?.drain() ?? []) this.#heard.push(`${event.type} ${event.path}`)
    expect([this.kind, this.path, ...this.#heard]).toEqual([
      this.kind,
      this.path,
      ...this.#expected,
    ])
  }

  #concerns(path: string): boolean {
    if (path === this.path) return true
    return this.kind === 'recursive' && path.startsWith(this.path === '/' ? '/' : `${this.path}/`)
  }
}

/** What each kind of watch is told of a change; a deletion is told once. */
export function told(change: 'create' | 'set' | 'delete', path: string): Told[] {
  const parent = path.slice(0, path.lastIndexOf('/')) || '/'
  const children: Told = {
    kinds: ['child', 'persistent'],
    type: 'NodeChildrenChanged',
    path: parent,
  }
  if (change === 'set') {
    return [{ kinds: ['data', 'exist', 'persistent', 'recursive'], type: 'NodeDataChanged', path }]
  }
  if (change === 'create') {
    const kinds = ['data', 'exist', 'persistent', 'recursive'] as const
    return [{ kinds, type: 'NodeCreated', path }, children]
  }
  return [{ kinds: watchKinds, type: 'NodeDeleted', path }, children]
}
