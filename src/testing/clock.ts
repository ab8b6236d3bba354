/** Everything the server knows about time. Real here; virtual where a simulation supplies its own. */

export interface Clock {
  /** Milliseconds of a clock that never goes back: what sessions expire by. */
  nowMs(): number
  /** Milliseconds since 1970: what znodes are stamped with, and what TTLs count. */
  wallMs(): number
  /** Calls `callback` once, at `atMs` of {@link nowMs} or later. It keeps no process alive. */
  timer(atMs: number, callback: () => void): Timer
}

export interface Timer {
  /** Has no effect after the callback has run. */
  cancel(): void
}

export const realClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  timer(atMs, callback) {
    // A timer may fire a fraction of a millisecond early; rounding up makes "at or later" true.
    const delayMs = Math.max(0, Math.ceil(atMs - performance.now()))
    const timeout = setTimeout(callback, delayMs)
    timeout.unref()
    return { cancel: () => clearTimeout(timeout) }
  },
}
