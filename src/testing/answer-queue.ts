/**
 * What connections wait for, each in the order of its requests, while their server lags behind the
 * decisions of its leader. Of a server that decides for itself, nobody ever waits.
 *
 * Source: `CommitProcessor`.
 */
import { type Link } from './link.ts'

interface Waiting {
  /** It is due when the server has seen this transaction, and all before it are. */
  readonly zxid: bigint
  readonly run: () => void
}

export class AnswerQueue {
  readonly #byLink = new Map<Link | null, Waiting[]>()

  /** Whether whatever this connection asks for now has to wait. */
  has(link: Link): boolean {
    return this.#byLink.has(link)
  }

  add(link: Link | null, zxid: bigint, run: () => void): void {
    const waiting = this.#byLink.get(link)
    if (waiting === undefined) this.#byLink.set(link, [{ zxid, run }])
    else waiting.push({ zxid, run })
  }

  /** Gives all answers that are due when the server has seen `zxid`. */
  release(zxid: bigint): void {
    for (const [link, waiting] of this.#byLink) {
      while (waiting.length > 0 && waiting[0]!.zxid <= zxid) waiting.shift()!.run()
      // An answer may have let the connection ask for more, and wait for that.
      if (waiting.length === 0 && this.#byLink.get(link) === waiting) this.#byLink.delete(link)
    }
  }

  clear(): void {
    this.#byLink.clear()
  }
}
