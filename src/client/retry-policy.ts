import { type ErrorCode, errorCodes } from '../protocol/error-codes.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type Backoff } from '../session/timing.ts'
import { positive } from './numbers.ts'

/** Which failures of a call are not told, but followed by another attempt. */
export interface RetryOptions {
  /** How often a call is made at most, the first time included; `Infinity` while there is time. */
  readonly attempts: number
  /**
   * The pauses between attempts, in milliseconds. Default: full jitter below 100 ms, doubling up to
   * 10 s.
   */
  readonly backoff?: Partial<Backoff>
  /**
   * The codes of the failures that are followed by another attempt. Default: those whose errors say
   * `retriable`, such as `CONNECTION_LOSS` and `THROTTLED_OP`, but for `TIMEOUT`, which is for all
   * attempts together.
   */
  readonly codes?: readonly ErrorCode[]
}

export interface RetryPolicy {
  readonly attempts: number
  readonly backoff: Backoff
  readonly codes: ReadonlySet<ErrorCode>
}

const retriableCodes: ReadonlySet<ErrorCode> = new Set(
  (Object.keys(errorCodes) as ErrorCode[]).filter(
    (code) => errorCodes[code].retriable && code !== 'TIMEOUT',
  ),
)

/** Checks and completes what the user gave. Throws `BAD_ARGUMENTS`. */
export function retryPolicyOf({ attempts, backoff, codes }: RetryOptions): RetryPolicy {
  for (const code of codes ?? []) {
    if (!(code in errorCodes)) refuse(`retry.codes has "${code}", which is no error code`)
  }
  if (attempts !== Infinity && !Number.isInteger(attempts)) refuse('retry.attempts is no number')
  return {
    attempts: positive('retry.attempts', attempts),
    backoff: {
      msMin: positive('retry.backoff.msMin', backoff?.msMin ?? 100),
      msMax: positive('retry.backoff.msMax', backoff?.msMax ?? 10_000),
    },
    codes: codes === undefined ? retriableCodes : new Set(codes),
  }
}

function refuse(detail: string): never {
  throw new ZooKeeperError('BAD_ARGUMENTS', { detail })
}
