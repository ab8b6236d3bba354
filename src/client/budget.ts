import { type ErrorContext, isZooKeeperError, ZooKeeperError } from '../protocol/errors.ts'
import { type CallOptions, positive } from './options.ts'
import { type SessionKeeper } from './session-keeper.ts'

/** One time limit and one signal over all the requests and pauses that a call may take. */
export class Budget {
  readonly #keeper: SessionKeeper
  readonly #signal: AbortSignal | undefined
  readonly #untilMs: number
  /** What the call is, for errors. */
  readonly #about: Pick<ErrorContext, 'op' | 'path'>

  constructor(
    keeper: SessionKeeper,
    { signal, timeout }: CallOptions,
    about: Pick<ErrorContext, 'op' | 'path'>,
  ) {
    const limitMs = positive('timeout', timeout ?? keeper.options.session.requestTimeoutMs)
    this.#keeper = keeper
    this.#signal = signal
    this.#about = about
    this.#untilMs = keeper.runtime.nowMs() + limitMs
  }

  /**
   * What is left for the next request.
   *
   * @throws {ZooKeeperError} `TIMEOUT` if that is nothing.
   */
  options(): CallOptions {
    const timeout = this.#leftMs
    if (timeout <= 0) throw new ZooKeeperError('TIMEOUT', this.#about)
    return { signal: this.#signal, timeout }
  }

  /** Waits; rejects if the signal fires, the time is over or the client ends before. */
  async pause(ms: number): Promise<void> {
    const { timeout: leftMs = Infinity } = this.options()
    if (ms <= 0) return
    try {
      const timeout = Math.min(ms, leftMs)
      await this.#keeper.waitFor(['closed'], { signal: this.#signal, timeout })
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
      if (error.code === 'TIMEOUT' && ms < leftMs) return
      const { code, cause } = error
      throw new ZooKeeperError(code, { ...this.#about, cause })
    }
    throw new ZooKeeperError('CLOSED', this.#about)
  }

  get #leftMs(): number {
    return this.#untilMs - this.#keeper.runtime.nowMs()
  }
}
