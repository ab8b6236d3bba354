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

/** What a call is, and what it may have done when its time is over. */
type About = Pick<ErrorContext, 'op' | 'path' | 'outcome'>

/** How long a call may take that was not given a `timeout`. */
export type Span =
  /** As long as any other: the client's `requestTimeout` is for the whole. */
  | 'short'
  /** As long as there is something to do: the client's `requestTimeout` is for each request. */
  | 'open'

/**
 * One signal and one time limit over all the requests and pauses that a call may take. A `timeout` that
 * a call was given is for all of them together.
 */
export class Budget {
  readonly #host: BudgetHost
  readonly #options: CallOptions
  /** `Infinity` if the requests alone have limits. */
  readonly #untilMs: number
  readonly #about: About

  constructor(
    host: BudgetHost,
    options: CallOptions | undefined,
    about: About,
    span: Span = 'short',
  ) {
    const { runtime, options: defaults } = host.keeper
    const defaultMs = span === 'open' ? Infinity : defaults.session.requestTimeoutMs
    this.#host = host
    this.#options = options ?? {}
    this.#untilMs = runtime.nowMs() + positive('timeout', options?.timeout ?? defaultMs)
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
    const { signal, timeout, retry } = this.#options
    const leftMs = this.leftMs
    if (leftMs <= 0) throw new ZooKeeperError('TIMEOUT', this.#about)
    const isLimited = timeout !== undefined || leftMs !== Infinity
    return { signal, timeout: isLimited ? leftMs : undefined, retry }
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
