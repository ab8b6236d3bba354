import { type ErrorContext, isZooKeeperError, ZooKeeperError } from '../protocol/errors.ts'
import { type Runtime } from '../session/runtime.ts'
import { positive } from './numbers.ts'
import { type CallOptions } from './options.ts'
import { type State } from './states.ts'

/** What a budget needs of its client. */
export interface BudgetHost {
  readonly keeper: {
    readonly runtime: Pick<Runtime, 'nowMs'>
    readonly options: { readonly session: { readonly requestTimeoutMs: number } }
  }
  waitFor(states: readonly State[], options: CallOptions): Promise<void>
}

/** One time limit and one signal over all the requests and pauses that a call may take. */
export class Budget {
  readonly #host: BudgetHost
  readonly #options: CallOptions
  readonly #untilMs: number
  /** What the call is, for errors. */
  readonly #about: Pick<ErrorContext, 'op' | 'path'>

  constructor(host: BudgetHost, options: CallOptions, about: Pick<ErrorContext, 'op' | 'path'>) {
    const { runtime, options: defaults } = host.keeper
    const limitMs = positive('timeout', options.timeout ?? defaults.session.requestTimeoutMs)
    this.#host = host
    this.#options = options
    this.#untilMs = runtime.nowMs() + limitMs
    this.#about = about
  }

  /** Milliseconds; none, or fewer, if the time is over. */
  get leftMs(): number {
    return this.#untilMs - this.#host.keeper.runtime.nowMs()
  }

  /**
   * What is left for the next request.
   *
   * @throws {ZooKeeperError} `TIMEOUT` if that is nothing.
   */
  options(): CallOptions {
    const timeout = this.leftMs
    if (timeout <= 0) throw new ZooKeeperError('TIMEOUT', this.#about)
    const { signal, retry } = this.#options
    return { signal, timeout, retry }
  }

  /** Waits; rejects if the signal fires or the client ends before. */
  async pause(ms: number): Promise<void> {
    if (ms <= 0) return
    try {
      await this.#host.waitFor(['closed'], { signal: this.#options.signal, timeout: ms })
    } catch (error) {
      if (isZooKeeperError(error, 'TIMEOUT')) return
      const { code, cause } = error as ZooKeeperError
      throw new ZooKeeperError(code, { ...this.#about, cause })
    }
    throw new ZooKeeperError('CLOSED', this.#about)
  }
}
