import { ZooKeeperError } from '../protocol/index.ts'
import { type Clock } from './clock.ts'

export interface UntilOptions {
  readonly signal?: AbortSignal
  /** In milliseconds of the server's clock. Default 10 seconds. */
  readonly timeout?: number
}

/** Wakes those who wait for something to be true of a server, whenever that may have changed. */
export class Changes {
  readonly #clock: Clock
  readonly #waiters = new Set<Waiter>()
  #isDue = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Something has changed. Whoever waits is asked when all that is being done is done. */
  note(): void {
    if (this.#waiters.size === 0 || this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => {
      this.#isDue = false
      for (const waiter of [...this.#waiters]) waiter.look()
    })
  }

  until(isTrue: () => boolean, { signal, timeout = 10_000 }: UntilOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAborted = () => fail(new ZooKeeperError('ABORTED', { cause: signal?.reason }))
      const leave = () => {
        this.#waiters.delete(waiter)
        timer.cancel()
        signal?.removeEventListener('abort', onAborted)
      }
      const fail = (error: ZooKeeperError) => {
        leave()
        reject(error)
      }
      const look = () => {
        try {
          if (!isTrue()) return
          resolve()
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
        leave()
      }
      const waiter = { look, fail }
      const timer = this.#clock.timer(this.#clock.nowMs() + timeout, () => {
        const detail = `it has not come true within ${timeout} ms: ${isTrue.toString()}`
        fail(new ZooKeeperError('TIMEOUT', { detail }))
      })
      signal?.addEventListener('abort', onAborted)
      this.#waiters.add(waiter)
      if (signal?.aborted === true) onAborted()
      else look()
    })
  }

  /** Nothing will change any more. */
  close(): void {
    const detail = 'the server was closed before it came true'
    for (const { fail } of [...this.#waiters]) fail(new ZooKeeperError('CLOSED', { detail }))
  }
}

interface Waiter {
  readonly look: () => void
  readonly fail: (error: ZooKeeperError) => void
}
