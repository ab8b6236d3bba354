/**
 * Who has not been heard of for too long.
 *
 * As in a real server, time is cut into buckets one tick wide, and whoever is heard of moves to a later
 * bucket, so that it expires between its timeout and one tick later.
 *
 * Source: `ExpiryQueue`.
 */
import { type Clock, type Timer } from './clock.ts'

export interface ExpiryOptions<T> {
  readonly clock: Clock
  readonly tickTimeMs: number
  /** Called once for whoever has not been heard of for its timeout. */
  readonly onExpired: (expired: T) => void
}

export class ExpiryQueue<T> {
  readonly #options: ExpiryOptions<T>
  readonly #bucketOf = new Map<T, number>()
  readonly #buckets = new Map<number, Set<T>>()
  #timer: Timer | null = null
  #timerAtMs = Infinity

  constructor(options: ExpiryOptions<T>) {
    this.#options = options
  }

  /** Who expires when, the first ones first. */
  get expiries(): (readonly [atMs: number, due: readonly T[]])[] {
    const buckets = [...this.#buckets].sort(([one], [other]) => one - other)
    return buckets.map(([atMs, due]) => [atMs, [...due]])
  }

  touch(one: T, timeoutMs: number): void {
    const { clock, tickTimeMs } = this.#options
    const bucket = Math.floor((clock.nowMs() + timeoutMs) / tickTimeMs + 1) * tickTimeMs
    if (this.#bucketOf.get(one) === bucket) return
    this.remove(one)
    this.#bucketOf.set(one, bucket)
    const others = this.#buckets.get(bucket)
    if (others === undefined) this.#buckets.set(bucket, new Set([one]))
    else others.add(one)
    if (bucket < this.#timerAtMs) this.#arm(bucket)
  }

  remove(one: T): void {
    const bucket = this.#bucketOf.get(one)
    if (bucket === undefined) return
    this.#bucketOf.delete(one)
    const others = this.#buckets.get(bucket)
    others?.delete(one)
    if (others?.size === 0) this.#buckets.delete(bucket)
    if (this.#buckets.size === 0) this.#disarm()
  }

  clear(): void {
    this.#disarm()
    this.#bucketOf.clear()
    this.#buckets.clear()
  }

  /** Buckets only ever become due later, so one timer at the earliest of them is enough. */
  #arm(atMs: number): void {
    this.#disarm()
    this.#timerAtMs = atMs
    this.#timer = this.#options.clock.timer(atMs, () => this.#expireDue())
  }

  #disarm(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#timerAtMs = Infinity
  }

  #expireDue(): void {
    this.#disarm()
    const nowMs = this.#options.clock.nowMs()
    const due = [...this.#buckets.keys()].filter((bucket) => bucket <= nowMs).sort((a, b) => a - b)
    for (const one of due.flatMap((bucket) => [...(this.#buckets.get(bucket) ?? [])])) {
      this.remove(one)
      this.#options.onExpired(one)
    }
    const next = Math.min(...this.#buckets.keys())
    if (next !== Infinity && next < this.#timerAtMs) this.#arm(next)
  }
}
