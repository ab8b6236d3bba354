import { EventStream } from '../client/event-stream.ts'

/** One value after the other to any number of readers, each at its own pace: the newest counts. */
export class Broadcast<T> {
  readonly #streams = new Set<EventStream<T>>()
  #isOver = false

  listen(): EventStream<T> {
    const stream: EventStream<T> = new EventStream<T>(Infinity, undefined as T, () => {
      this.#streams.delete(stream)
    })
    if (this.#isOver) stream.end()
    else this.#streams.add(stream)
    return stream
  }

  push(value: T): void {
    for (const stream of this.#streams) {
      stream.drain() // a reader that was away gets the newest value, not all of them
      stream.push(value)
    }
  }

  end(): void {
    this.#isOver = true
    for (const stream of [...this.#streams]) stream.end()
  }
}
