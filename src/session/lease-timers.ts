/**
 * When leases end, on the clock that goes on while the machine sleeps.
 *
 * After a turn of the event loop that took long, Node may hand over bytes before it fires the timers
 * that are due. What is done upon those bytes would be done without the lease. So whoever hands bytes to
 * a session settles the leases first.
 */
import { type Runtime, type Timer } from './runtime.ts'

type Clocks = Pick<Runtime, 'nowMs' | 'uptimeMs' | 'timer'>

export class LeaseTimers {
  readonly #clocks: Clocks
  readonly #timers = new Set<LeaseTimer>()
  /** No timer is due before. */
  #earliestMs = Infinity

  constructor(clocks: Clocks) {
    this.#clocks = clocks
  }

  /** Calls `fire` once `uptimeMs()` has reached `atMs`. */
  add(atMs: number, fire: () => void): Timer {
    const timer = new LeaseTimer(atMs, fire, this.#clocks, this.#timers)
    this.#timers.add(timer)
    this.#earliestMs = Math.min(this.#earliestMs, atMs)
    timer.wait()
    return timer
  }

  /** Fires what is due. */
  settle(): void {
    if (this.#earliestMs === Infinity) return
    const nowMs = this.#clocks.uptimeMs()
    if (nowMs < this.#earliestMs) return
    const due = [...this.#timers].filter(({ atMs }) => atMs <= nowMs)
    this.#earliestMs = Infinity
    for (const timer of due) timer.fire()
    for (const { atMs } of this.#timers) this.#earliestMs = Math.min(this.#earliestMs, atMs)
  }
}

class LeaseTimer implements Timer {
  readonly atMs: number
  readonly #fire: () => void
  readonly #clocks: Clocks
  readonly #all: Set<LeaseTimer>
  #timer: Timer | null = null

  constructor(atMs: number, fire: () => void, clocks: Clocks, all: Set<LeaseTimer>) {
    this.atMs = atMs
    this.#fire = fire
    this.#clocks = clocks
    this.#all = all
  }

  /** The two clocks differ when the machine sleeps, so the time is looked at again. */
  wait(): void {
    const leftMs = this.atMs - this.#clocks.uptimeMs()
    this.#timer = this.#clocks.timer(this.#clocks.nowMs() + Math.max(leftMs, 0), () => {
      if (this.#clocks.uptimeMs() >= this.atMs) this.fire()
      else this.wait()
    })
  }

  fire(): void {
    if (!this.#all.has(this)) return
    this.cancel()
    this.#fire()
  }

  cancel(): void {
    this.#all.delete(this)
    this.#timer?.cancel()
  }
}
