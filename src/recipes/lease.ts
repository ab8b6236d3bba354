/**
 * The right to act, for as long as it can be proven.
 *
 * A connection proves nothing about a lock: a server that is cut off from its leader goes on answering
 * pings while the leader lets the session expire. What proves it is a write that the quorum has
 * committed. So a lease runs from the moment at which its last committed renewal was *sent*, for the
 * session timeout less a margin of a third, on a clock that goes on while the machine sleeps. The
 * servers count from later and round up, so the lease ends before anybody else is let in.
 */
import { type State, type ZooKeeper, ZooKeeperError } from '../client/index.ts'
import { type Contender } from './contender.ts'
import { isPassing } from './patience.ts'

/** A lock or a term that is held until it is released or lost. */
export class Lease implements AsyncDisposable {
  /** The znode that stands for the lease. */
  readonly path: string
  /**
   * Greater than the token of every earlier holder of the same path, even if the path was deleted in
   * between. Pass it along with what the lease protects, and let the other side refuse older ones: no
   * lease can stop a process that slept between looking and acting.
   */
  readonly fencingToken: bigint
  readonly #zk: ZooKeeper
  readonly #contender: Contender
  readonly #ended = new AbortController()
  readonly #stopListening: () => void
  #untilMs = 0
  #timer: { cancel(): void } | null = null
  /** When the lease ends unless it is renewed. */
  #deadline: { cancel(): void } | null = null
  #releasing: Promise<void> | null = null

  private constructor(zk: ZooKeeper, contender: Contender) {
    this.#zk = zk
    this.#contender = contender
    this.path = contender.path
    this.fencingToken = contender.token
    this.#stopListening = followStates(zk, (state) => {
      // While suspended the clock decides: the link may come back in time.
      if (state !== 'connected' && state !== 'suspended') this.#lose(`the session is ${state}`)
    })
  }

  /**
   * @internal Takes the lease for a contender who is first in line, by a first renewal.
   *
   * @throws {ZooKeeperError} if the contender's znode turns out not to be its own any more.
   */
  static async take(zk: ZooKeeper, contender: Contender, signal: AbortSignal): Promise<Lease> {
    const lease = new Lease(zk, contender)
    try {
      await lease.#renew(signal)
      await contender.watchOwn(() => {
        lease.#lose('its znode was deleted')
      })
      lease.#watchTime()
      return lease
    } catch (error) {
      lease.#end(error)
      throw error
    }
  }

  /** Fires when the lease is lost or released: stop acting then. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /** Whether the lease is held now, by the clock. */
  get isHeld(): boolean {
    return !this.signal.aborted && this.#zk.runtime.uptimeMs() < this.#untilMs
  }

  /**
   * Throws unless the lease is held now. It reads the clock: in a turn of the event loop that took
   * long, no signal can have fired yet.
   *
   * @throws {ZooKeeperError} `LEASE_LOST`
   */
  assertHeld(): void {
    if (this.isHeld) return
    this.#lose('it was not renewed in time')
    const detail = 'the lease is not held any more'
    throw new ZooKeeperError('LEASE_LOST', { path: this.path, detail, cause: this.signal.reason })
  }

  /**
   * Gives the lease back and lets the next one in. Never rejects: without a link the clean-up goes on
   * in the background.
   */
  release(): Promise<void> {
    this.#end(new ZooKeeperError('LEASE_LOST', { path: this.path, detail: 'it was released' }))
    this.#releasing ??= this.#contender.leave()
    return this.#releasing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const sentAtMs = this.#zk.runtime.uptimeMs()
    await this.#contender.prove(signal)
    this.#untilMs = sentAtMs + (this.#zk.session.timeout * 2) / 3
    this.#deadline?.cancel()
    if (this.signal.aborted) return
    this.#deadline = this.#zk.runtime.leaseTimer(this.#untilMs, () => {
      this.#lose('it was not renewed in time')
    })
  }

  /** Renews after a third of the timeout, and tries again for as long as the lease is held. */
  #watchTime(): void {
    const renewAfterMs = this.#zk.session.timeout / 3
    const { runtime } = this.#zk
    let renewing = false
    const tick = () => {
      const leftMs = this.#untilMs - runtime.uptimeMs()
      if (!renewing && leftMs <= renewAfterMs) {
        renewing = true
        this.#renew(this.signal).then(
          () => (renewing = false),
          (error: unknown) => {
            renewing = false
            // A lost link may come back in time; the clock decides.
            if (!isPassing(error)) this.#lose('its znode is gone', error)
          },
        )
      }
      wait()
    }
    const wait = () => {
      const leftMs = this.#untilMs - runtime.uptimeMs()
      const nextMs = leftMs > renewAfterMs ? leftMs - renewAfterMs : Math.max(leftMs, 1)
      this.#timer = runtime.timer(runtime.nowMs() + nextMs, tick)
    }
    wait()
  }

  #lose(detail: string, cause?: unknown): void {
    if (this.signal.aborted) return
    this.#end(new ZooKeeperError('LEASE_LOST', { path: this.path, detail, cause }))
    void this.release()
  }

  #end(reason: unknown): void {
    this.#timer?.cancel()
    this.#deadline?.cancel()
    this.#stopListening()
    if (!this.signal.aborted) this.#ended.abort(reason)
  }
}

function followStates(zk: ZooKeeper, follow: (state: State) => void): () => void {
  const changes = zk.states()
  void (async () => {
    for await (const { state } of changes) follow(state)
  })()
  return () => {
    void changes.return()
  }
}
