/**
 * Which abandonable things wait under which AbortSignal: one listener per signal, however many calls
 * wait under it. A listener per call would cost more than the call, and Node warns at eleven.
 */
export interface Abandonable {
  /** The signal has fired; `reason` is the signal's. */
  abort(reason: unknown): void
}

/** Signals without a waiting call are forgotten once there are more than this. */
const idleMax = 16

export class Signals {
  readonly #entries = new Map<AbortSignal, SignalEntry>()

  /** @returns what to call when the wait is over. */
  add(signal: AbortSignal, waiting: Abandonable): () => void {
    const entry = this.#entries.get(signal) ?? this.#listen(signal)
    entry.waiting.add(waiting)
    return () => {
      entry.waiting.delete(waiting)
    }
  }

  /** Stops listening everywhere. */
  clear(): void {
    for (const entry of this.#entries.values()) entry.stop()
    this.#entries.clear()
  }

  #listen(signal: AbortSignal): SignalEntry {
    if (this.#entries.size >= idleMax) this.#forgetIdle()
    const entry = new SignalEntry(signal, () => this.#entries.delete(signal))
    this.#entries.set(signal, entry)
    return entry
  }

  #forgetIdle(): void {
    for (const [signal, entry] of this.#entries) {
      if (entry.waiting.size > 0) continue
      entry.stop()
      this.#entries.delete(signal)
    }
  }
}

class SignalEntry {
  readonly waiting = new Set<Abandonable>()
  readonly #signal: AbortSignal
  readonly #fired: () => void

  constructor(signal: AbortSignal, forget: () => void) {
    this.#signal = signal
    this.#fired = () => {
      forget()
      for (const one of this.waiting) one.abort(signal.reason)
    }
    signal.addEventListener('abort', this.#fired, { once: true })
  }

  stop(): void {
    this.#signal.removeEventListener('abort', this.#fired)
  }
}
