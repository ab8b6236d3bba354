/**
 * Sessions: their ids, passwords and timeouts, and the moment each of them expires.
 *
 * As in a real server, expiry goes by buckets one tick wide and a session moves to a later bucket
 * with each packet, so it ends between its timeout and one tick later.
 *
 * Source: `SessionTrackerImpl`, `ExpiryQueue`.
 */
import { createHash } from 'node:crypto'
import { type Clock, type Timer } from './clock.ts'

export class Session {
  readonly id: bigint
  /** As granted to the last connection. */
  timeoutMs: number
  /** The bucket it is in: it expires then, unless it is touched. */
  expiresAtMs = 0

  constructor(id: bigint, timeoutMs: number) {
    this.id = id
    this.timeoutMs = timeoutMs
  }
}

export interface SessionsOptions {
  readonly clock: Clock
  /** The highest byte of every session id. */
  readonly serverId: number
  readonly tickTimeMs: number
  readonly timeoutMsMin: number
  readonly timeoutMsMax: number
  /** Called once when a session has not been heard of for its timeout. */
  readonly onExpired: (session: Session) => void
}

export class Sessions implements Iterable<Session> {
  readonly #options: SessionsOptions
  readonly #byId = new Map<bigint, Session>()
  readonly #buckets = new Map<number, Set<Session>>()
  #nextId: bigint
  #timer: Timer | null = null
  #timerAtMs = Infinity
  #isPaused = false

  constructor(options: SessionsOptions) {
    this.#options = options
    const millis = BigInt(options.clock.wallMs()) & 0xff_ffff_ffffn
    this.#nextId = BigInt.asIntN(64, (BigInt(options.serverId) << 56n) | (millis << 16n))
  }

  get size(): number {
    return this.#byId.size
  }

  get(id: bigint): Session | undefined {
    return this.#byId.get(id)
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#byId.values()
  }

  /** A session with an id of its own, which begins when it is {@link add}ed. */
  draft(timeoutMsWanted: number): Session {
    const session = new Session(this.#nextId, this.#granted(timeoutMsWanted))
    this.#nextId = BigInt.asIntN(64, this.#nextId + 1n)
    return session
  }

  add(session: Session): void {
    this.#byId.set(session.id, session)
    this.touch(session)
  }

  /** Its client has come back, and may want another timeout. */
  renew(session: Session, timeoutMsWanted: number): void {
    session.timeoutMs = this.#granted(timeoutMsWanted)
    this.touch(session)
  }

  /** Its client was heard of. */
  touch(session: Session): void {
    if (this.#isPaused) return
    const { clock, tickTimeMs } = this.#options
    const bucket = Math.floor((clock.nowMs() + session.timeoutMs) / tickTimeMs + 1) * tickTimeMs
    if (bucket === session.expiresAtMs) return
    this.#leaveBucket(session)
    session.expiresAtMs = bucket
    const sessions = this.#buckets.get(bucket)
    if (sessions === undefined) this.#buckets.set(bucket, new Set([session]))
    else sessions.add(session)
    if (bucket < this.#timerAtMs) this.#arm(bucket)
  }

  remove(id: bigint): void {
    const session = this.#byId.get(id)
    if (session === undefined) return
    this.#byId.delete(id)
    this.#leaveBucket(session)
  }

  clear(): void {
    for (const id of [...this.#byId.keys()]) this.remove(id)
  }

  /** No session expires until {@link unpause}: a server that is down expires nobody. */
  pause(): void {
    this.#isPaused = true
    this.#disarm()
  }

  /** A server that has started gives every session its whole timeout again. */
  unpause(): void {
    this.#isPaused = false
    for (const session of this.#byId.values()) {
      this.#leaveBucket(session)
      session.expiresAtMs = 0
      this.touch(session)
    }
  }

  #granted(timeoutMsWanted: number): number {
    const { timeoutMsMin, timeoutMsMax } = this.#options
    return Math.min(Math.max(timeoutMsWanted, timeoutMsMin), timeoutMsMax)
  }

  #leaveBucket(session: Session): void {
    const sessions = this.#buckets.get(session.expiresAtMs)
    sessions?.delete(session)
    if (sessions?.size === 0) this.#buckets.delete(session.expiresAtMs)
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
    for (const bucket of due) {
      const sessions = [...(this.#buckets.get(bucket) ?? [])]
      this.#buckets.delete(bucket)
      for (const session of sessions) this.#options.onExpired(session)
    }
    const next = Math.min(...this.#buckets.keys())
    if (next !== Infinity && next < this.#timerAtMs) this.#arm(next)
  }
}

/** Derived from the id, as servers do, so that a run can be repeated. It guards nothing here. */
export function passwordOf(id: bigint): Buffer {
  return createHash('md5')
    .update(`session ${String(id)}`)
    .digest()
}
