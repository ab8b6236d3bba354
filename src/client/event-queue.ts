/**
 * Hands events from those who push to one who awaits, in order, and keeps a bounded number for a slow
 * consumer. When it is full, one `overflow` marker takes the place of everything further.
 */
export class EventQueue<T> {
  readonly #max: number
  readonly #overflow: T
  #events: T[] = []
  /** How many of `#events` were handed out; they are cut off when all were. */
  #taken = 0
  #isOverflowing = false
  #end: { readonly error: unknown } | 'done' | null = null
  #wake: (() => void) | null = null

  constructor(max: number, overflow: T) {
    this.#max = max
    this.#overflow = overflow
  }

  push(event: T): void {
    if (this.#end !== null || this.#isOverflowing) return
    if (this.#events.length - this.#taken < this.#max) {
      this.#events.push(event)
    } else {
      this.#events.push(this.#overflow)
      this.#isOverflowing = true
    }
    this.#wakeConsumer()
  }

  /** No further events. Those that wait are still handed out. */
  end(): void {
    this.#end ??= 'done'
    this.#wakeConsumer()
  }

  /** The consumer is told `error` once it has had the events before it. */
  fail(error: unknown): void {
    this.#end ??= { error }
    this.#wakeConsumer()
  }

  /** The next event; `undefined` at the end. One consumer at a time. */
  async next(): Promise<T | undefined> {
    while (this.#taken === this.#events.length) {
      if (this.#end === 'done') return undefined
      if (this.#end !== null) throw this.#end.error
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const event = this.#events[this.#taken++]
    if (this.#taken === this.#events.length) this.drain()
    return event
  }

  /** Takes all that waits, without waiting. */
  drain(): T[] {
    const events = this.#events.slice(this.#taken)
    this.#events = []
    this.#taken = 0
    this.#isOverflowing = false
    return events
  }

  #wakeConsumer(): void {
    this.#wake?.()
    this.#wake = null
  }
}
