/** Makes a call again when it failed in a way that passes. */
import { isZooKeeperError } from '../protocol/errors.ts'
import { type Operation } from '../protocol/operations.ts'
import { type Runtime } from '../session/runtime.ts'
import { dialPauseMs } from '../session/timing.ts'
import { Budget, type BudgetHost } from './budget.ts'
import { type CallOptions } from './options.ts'
import { type Reporter } from './reporter.ts'
import { type RetryPolicy, retryPolicyOf } from './retry-policy.ts'

/** What retrying needs of its client. */
export interface RetryHost extends BudgetHost {
  readonly keeper: BudgetHost['keeper'] & {
    readonly runtime: Pick<Runtime, 'random'>
    readonly options: { readonly retry: RetryPolicy | null }
    readonly reporter: Pick<Reporter, 'retry'>
  }
}

/** A call that can be made more than once. */
export interface Repeatable<T> {
  readonly path: string | null
  readonly attempt: (options: CallOptions) => Promise<T>
}

/** Asked for every call, so it does nothing but look. */
export function mayRetry({ keeper }: RetryHost, options: CallOptions | undefined): boolean {
  const own = options?.retry
  return own === undefined ? keeper.options.retry !== null : own !== false
}

/**
 * Makes a call until it succeeds, or its failure is none that another attempt may mend. Then, or when
 * attempts or time are used up, the last failure is what the caller is told.
 */
export async function retrying<T>(
  host: RetryHost,
  operation: Operation,
  options: CallOptions | undefined,
  prepare: () => Repeatable<T>,
): Promise<T> {
  const policy = policyFor(host, options)
  const { path, attempt } = prepare()
  const budget = new Budget(host, options, { op: operation.name, path })
  for (let made = 1; ; made++) {
    try {
      return await attempt(budget.options())
    } catch (error) {
      if (made >= policy.attempts || !isWorthAnother(policy, operation, error)) throw error
      const delayMs = dialPauseMs(made, host.keeper.runtime.random(), policy.backoff)
      if (delayMs >= budget.leftMs) throw error
      const { name: op } = operation
      host.keeper.reporter.retry({ op, path, attempt: made, delayMs, reason: 'policy', error })
      await budget.pause(delayMs)
    }
  }
}

function policyFor({ keeper }: RetryHost, options: CallOptions | undefined): RetryPolicy {
  const own = options?.retry
  return own === undefined || own === false ? keeper.options.retry! : retryPolicyOf(own)
}

/** Reads may be repeated; of writes only what certainly did not happen. */
function isWorthAnother({ codes }: RetryPolicy, { effect }: Operation, error: unknown): boolean {
  if (!isZooKeeperError(error) || !codes.has(error.code)) return false
  return effect === 'read' || error.outcome === 'not-applied'
}
