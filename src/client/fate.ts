/**
 * A write whose reply was lost may have happened or not. Here it is found out what became of it, so
 * that the call can report the truth or send its request again.
 *
 * What makes that possible: a session's requests are carried out in order, and what a server still has
 * of an earlier connection is refused or done before a `sync` on the next one. So the look behind the
 * sync sees the write if it ever happens. And its zxid is above all that were seen before the loss: a
 * znode that was last written at or below that zxid has not been written by us.
 */
import { type ErrorCode, errorCodes } from '../protocol/error-codes.ts'
import { isZooKeeperError, ZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { type Budget } from './budget.ts'
import { type CallOptions } from './options.ts'
import { patiently } from './patience.ts'
import { type View } from './view.ts'

/** The first attempt of which it is not known whether it was applied. */
export interface Doubt {
  /** The last zxid seen before: the attempt, if it was applied, has a greater one. */
  readonly zxid: bigint
  /** The session that the attempt belongs to. */
  readonly sessionId: bigint | null
}

/**
 * What a look at the servers' data says of an attempt.
 *
 * - `not-applied`: it did not happen, and will not. It is sent again.
 * - `guarded`: it may have happened, but then a second one is refused. It is sent again, and a refusal
 *   leaves the outcome unknown.
 * - `unknown`: it may have happened, and a second one might change what others wrote since.
 */
export type Verdict<T> = { readonly result: T } | 'not-applied' | 'guarded' | 'unknown'

/** So often the reply to one call may be lost. A request that kills each connection is no bad luck. */
export const lossesMax = 10

/** Sends a write until its fate is known, as far as it can be known. */
export async function untilKnown<T>(
  view: View,
  budget: Budget,
  attempt: (options: CallOptions) => Promise<T>,
  judge: (doubt: Doubt, look: CallOptions) => Promise<Verdict<T>>,
): Promise<T> {
  let doubt: Doubt | null = null
  for (let losses = 1; ; losses++) {
    try {
      return await attempt(budget.options())
    } catch (error) {
      if (!isLoss(error) || losses === lossesMax) throw doubt === null ? error : doubted(error)
      if (error.outcome === 'unknown') doubt ??= doubtOf(view, error)
      if (doubt !== null) {
        const verdict: Verdict<T> = await look(view, budget, error, doubt, judge)
        if (typeof verdict === 'object') return verdict.result
        if (verdict === 'unknown') throw doubted(error)
        if (verdict === 'not-applied') doubt = null
      }
      reportLoss(view, error, losses)
    }
  }
}

/** Whether a call failed for the loss of its connection or session, and may be made again. */
export function isLoss(error: unknown): error is ZooKeeperError {
  return (
    isZooKeeperError(error, 'CONNECTION_LOSS') ||
    isZooKeeperError(error, 'SESSION_EXPIRED') ||
    isZooKeeperError(error, 'SESSION_MOVED')
  )
}

/** A call whose reply was lost is about to be made again. */
export function reportLoss({ keeper }: View, error: ZooKeeperError, attempt: number): void {
  const { op, path } = error
  keeper.reporter.retry({ op: op ?? '', path, attempt, delayMs: 0, reason: 'lost-reply', error })
}

/** Reads behind a sync, on this connection or a later one, for as long as there is time. */
export function readSynced<T>(
  view: View,
  path: string,
  budget: Budget,
  read: (options: CallOptions) => Promise<T>,
): Promise<T> {
  const attempt = async () => {
    const request = { path: view.requests.path(path) }
    await view.call(operations.sync, () => request, nothing, budget.options())
    return read(budget.options())
  }
  return patiently(attempt, async () => view.untilServed(budget.options()))
}

/** Asked when the attempt has just failed, before the next connection has brought another zxid. */
function doubtOf({ keeper }: View, { sessionId }: ZooKeeperError): Doubt {
  return { zxid: keeper.session.pipeline.lastZxid, sessionId }
}

/** What ends the look ends the call, and its outcome remains unknown. */
async function look<T>(
  view: View,
  budget: Budget,
  lost: ZooKeeperError,
  doubt: Doubt,
  judge: (doubt: Doubt, look: CallOptions) => Promise<Verdict<T>>,
): Promise<Verdict<T>> {
  try {
    return await readSynced(view, lost.path ?? '/', budget, (options) => judge(doubt, options))
  } catch (error) {
    throw unresolved(error, lost)
  }
}

/** An error of the look, told as that of the call. */
export function unresolved(error: unknown, lost: ZooKeeperError): unknown {
  if (!isZooKeeperError(error)) return error
  // What a server answered to the look (that we may not read, say) is no answer to the call.
  const code: ErrorCode = errorCodes[error.code].errno === null ? error.code : lost.code
  const { op, path, sessionId, server } = lost
  const cause = error.code === 'ABORTED' ? error.cause : lost
  return new ZooKeeperError(code, { op, path, sessionId, server, outcome: 'unknown', cause })
}

/** The same error, of a call that an earlier attempt may have carried out. */
function doubted(error: unknown): unknown {
  if (!isZooKeeperError(error) || error.outcome !== 'not-applied') return error
  const { code, errno, op, path, sessionId, server, cause } = error
  return new ZooKeeperError(code, { errno, op, path, sessionId, server, outcome: 'unknown', cause })
}

const nothing = (): void => undefined
