/**
 * A clock that never goes back, counts the time that a suspended machine slept, and is as fine as the
 * clock of `performance.now()`.
 *
 * `os.uptime()` counts that time, but in steps of 10 ms on Linux and of a second on macOS, and one look
 * costs 10 µs. So only its lead over the fine clock is taken from it: it grows by a step at most while
 * the machine runs, and by the time slept when it wakes. The lead is looked at when the wall clock says
 * that something happened, and every second.
 */
export interface Clocks {
  nowMs(): number
  wallMs(): number
  /** `os.uptime()`, in milliseconds. */
  bootMs(): number
}

const jumpMsMin = 20
const lookAfterMs = 1_000

export class UptimeClock {
  readonly #clocks: Clocks
  #leadMs = -Infinity
  #wallLeadMs = 0
  #lookedAtMs = -Infinity

  constructor(clocks: Clocks) {
    this.#clocks = clocks
  }

  uptimeMs(): number {
    const nowMs = this.#clocks.nowMs()
    const wallLeadMs = this.#clocks.wallMs() - nowMs
    const hasJumped = Math.abs(wallLeadMs - this.#wallLeadMs) >= jumpMsMin
    if (hasJumped || nowMs - this.#lookedAtMs >= lookAfterMs) {
      this.#wallLeadMs = wallLeadMs
      this.#lookedAtMs = nowMs
      this.#leadMs = Math.max(this.#leadMs, this.#clocks.bootMs() - nowMs)
    }
    return nowMs + this.#leadMs
  }
}
