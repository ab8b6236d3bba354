/**
 * Sessions: their ids, passwords and timeouts, and when each of them expires.
 *
 * Source: `SessionTrackerImpl`.
 */
import { createHash } from 'node:crypto'
import { type Clock } from './clock.ts'
import { ExpiryQueue } from './expiry-queue.ts'

export class Session {
  readonly id: bigint
  /** As granted to the last connection. */
  timeoutMs: number

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
  readonly #queue: ExpiryQueue<Session>
  #nextId: bigint
  #isPaused = false

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#queue = new ExpiryQueue(options)
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

  /** Who expires when, the first ones first. */
  get expiries(): (readonly [atMs: number, due: readonly Session[]])[] {
    return this.#queue.expiries
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
    if (!this.#isPaused) this.#queue.touch(session, session.timeoutMs)
  }

  remove(id: bigint): void {
    const session = this.#byId.get(id)
    if (session === undefined) return
    this.#byId.delete(id)
    this.#queue.remove(session)
  }

  clear(): void {
    this.#byId.clear()
    this.#queue.clear()
  }

  /** No session expires until {@link unpause}: a server that is down expires nobody. */
  pause(): void {
    this.#isPaused = true
    this.#queue.clear()
  }

  /** A server that has started gives every session its whole timeout again. */
  unpause(): void {
    this.#isPaused = false
    for (const session of this.#byId.values()) this.touch(session)
  }

  #granted(timeoutMsWanted: number): number {
    const { timeoutMsMin, timeoutMsMax } = this.#options
    return Math.min(Math.max(timeoutMsWanted, timeoutMsMin), timeoutMsMax)
  }
}

/** Derived from the id, as servers do, so that a run can be repeated. It guards nothing here. */
export function passwordOf(id: bigint): Buffer {
  return createHash('md5')
    .update(`session ${String(id)}`)
    .digest()
}
