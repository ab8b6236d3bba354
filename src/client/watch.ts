import { type WatchEvent, type Watcher } from '../session/watches.ts'
import { EventQueue } from './event-queue.ts'

/** What a {@link Watch} needs of its client. */
export interface WatchHost {
  /** Asks the server for the watch, and says under which watcher it is registered. */
  arm(watcher: Watcher): { readonly ready: Promise<void>; readonly watcher: Watcher }
  /** Takes the watch back, here at once and on the server when it answers. */
  disarm(watcher: Watcher): void
}

/**
 * A persistent watch as an async iterator. It lives from `zk.watch()` until it is left (`break`,
 * `return()`, disposal), its signal fires, or the client closes; reconnects and new sessions pass it
 * by, with a `resync` event where something may have been missed.
 */
export class Watch implements AsyncIterableIterator<WatchEvent>, AsyncDisposable {
  /** Resolves when the server has set the watch: what changes from then on is told. */
  readonly ready: Promise<void>
  readonly #host: WatchHost
  readonly #watcher: Watcher
  readonly #queue: EventQueue<WatchEvent>
  readonly #events: AsyncGenerator<WatchEvent, undefined>
  #isOver = false
  /** Ends the watch of the signal, if there is one. */
  #release: () => void = () => undefined

  /** @internal Use `zk.watch()`. */
  constructor(path: string, bufferMax: number, host: WatchHost) {
    this.#host = host
    this.#queue = new EventQueue(bufferMax, { type: 'overflow', path, zxid: null })
    this.#events = this.#generate()
    const { ready, watcher } = host.arm((event) => {
      this.#queue.push(event)
    })
    this.ready = ready
    this.#watcher = watcher
    ready.then(
      () => {
        if (this.#isOver) host.disarm(watcher) // left before the server had set it
      },
      (error: unknown) => {
        this.fail(error) // for those who iterate without awaiting `ready`
      },
    )
  }

  /** @internal */
  onOver(release: () => void): void {
    this.#release = release
  }

  next(): Promise<IteratorResult<WatchEvent, undefined>> {
    return this.#events.next()
  }

  /** Ends the watch. */
  async return(): Promise<IteratorResult<WatchEvent, undefined>> {
    this.end()
    await Promise.resolve()
    return { done: true, value: undefined }
  }

  /** Takes the events that wait, without waiting for more. */
  drain(): WatchEvent[] {
    return this.#queue.drain()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** @internal The client is closed: there is nothing more to come. */
  end(): void {
    this.#queue.end()
    this.#finish()
  }

  /** @internal The watch cannot go on. */
  fail(error: unknown): void {
    this.#queue.fail(error)
    this.#finish()
  }

  async *#generate(): AsyncGenerator<WatchEvent, undefined> {
    for (;;) {
      const event = await this.#queue.next()
      if (event === undefined) return undefined
      yield event
    }
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#release()
    this.#host.disarm(this.#watcher)
  }
}
