/**
 * Events from those who push to one who awaits, in order, as an async iterator. It keeps a bounded
 * number for a slow consumer: when it is full, one `overflow` marker takes the place of the rest.
 */
export class EventStream<T> implements AsyncIterableIterator<T>, AsyncDisposable {
  readonly #max: number
  readonly #overflow: T
  #events: T[] = []
  /** How many of `#events` were handed out; they are cut off when all were. */
  #taken = 0
  #waiting: Waiting<T>[] = []
  #end: { readonly error: unknown } | 'done' | null = null
  readonly #onEnd: () => void
  readonly #onOverflow: () => void

  /** @internal */
  constructor(
    max: number,
    overflow: T,
    onEnd: () => void = nothing,
    onOverflow: () => void = nothing,
  ) {
    this.#max = max
    this.#overflow = overflow
    this.#onEnd = onEnd
    this.#onOverflow = onOverflow
  }

  /** The next event. After the end: `done`, or the error that ended it, once. */
  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#taken < this.#events.length) {
        const value = this.#events[this.#taken++]!
        if (this.#taken === this.#events.length) this.drain()
        resolve({ done: false, value })
      } else {
        this.#waiting.push({ resolve, reject })
        this.#settleAtEnd()
      }
    })
  }

  /** Ends the stream; what waits is dropped. A `next` that is pending resolves with `done`. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.drain()
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** Takes the events that wait, without waiting for more. */
  drain(): T[] {
    const events = this.#events.slice(this.#taken)
    this.#events = []
    this.#taken = 0
    return events
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** @internal */
  push(event: T): void {
    if (this.#end !== null) return
    const waiting = this.#waiting.shift()
    const kept = this.#events.length - this.#taken
    if (waiting !== undefined) waiting.resolve({ done: false, value: event })
    else if (kept < this.#max) this.#events.push(event)
    else if (kept === this.#max) {
      this.#events.push(this.#overflow)
      this.#onOverflow()
    }
  }

  /** @internal No further events. Those that wait are still handed out. */
  end(): void {
    this.#finish('done')
  }

  /** @internal The consumer is told `error` once it has had the events before it. */
  fail(error: unknown): void {
    this.#finish({ error })
  }

  #finish(end: { readonly error: unknown } | 'done'): void {
    if (this.#end !== null) return
    this.#end = end
    this.#settleAtEnd()
    this.#onEnd()
  }

  #settleAtEnd(): void {
    const end = this.#end
    if (end === null) return
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (this.#end === 'done') {
        resolve({ done: true, value: undefined })
      } else {
        this.#end = 'done' // an iterator throws once, and is done then
        reject((end as { readonly error: unknown }).error)
      }
    }
  }
}

const nothing = (): void => undefined

interface Waiting<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void
  readonly reject: (error: unknown) => void
}
