import { type Clock, type Timer } from '../../../src/testing/index.ts'

/** A clock that moves when a test says so, so that nobody has to wait. */
export class ManualClock implements Clock {
  #nowMs = 0
  #wallMs = 1_700_000_000_000
  readonly #timers = new Set<{ readonly atMs: number; readonly callback: () => void }>()

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#wallMs
  }

  timer(atMs: number, callback: () => void): Timer {
    const timer = { atMs, callback }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  get timerCount(): number {
    return this.#timers.size
  }

  /** Lets time pass and runs what becomes due, in order. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= endMs)
      const [next] = due.sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#timers.delete(next)
      this.#moveTo(Math.max(next.atMs, this.#nowMs))
      next.callback()
    }
    this.#moveTo(endMs)
  }

  #moveTo(nowMs: number): void {
    this.#wallMs += nowMs - this.#nowMs
    this.#nowMs = nowMs
  }
}
