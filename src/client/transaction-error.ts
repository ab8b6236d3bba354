import { type ErrorCode, errorCodeOf } from '../protocol/error-codes.ts'
import { type ErrorContext, ZooKeeperError } from '../protocol/errors.ts'
import { type MultiPart, type MultiResult } from '../protocol/multi.ts'
import { operationByCode } from '../protocol/operations.ts'
import { hintAtChroot } from './missing-chroot.ts'

/** A transaction that was refused as a whole, because one of its operations failed. */
export class TransactionError extends ZooKeeperError {
  /** Which operation failed, from 0. `code`, `op` and `path` are that operation's. */
  readonly index: number
  /** Of each operation: null before the one that failed, `RUNTIME_INCONSISTENCY` after it. */
  readonly codes: readonly (ErrorCode | null)[]

  constructor(index: number, codes: readonly (ErrorCode | null)[], context: ErrorContext = {}) {
    super(codes[index] ?? 'UNKNOWN_ERROR', context)
    this.index = index
    this.codes = codes
  }
}

export function transactionErrorOf(
  results: readonly MultiResult[],
  parts: readonly (MultiPart & { readonly path: string })[],
  chroot: string,
): TransactionError {
  const index = failedIndex(results)
  const errno = results[index]?.err ?? 0
  const { type = 0, path = null } = parts[index] ?? {}
  const op = operationByCode.get(type)?.name ?? 'multi'
  const codes = results.map(({ err }) => (err === 0 ? null : errorCodeOf(err)))
  const hint = hintAtChroot(chroot, errorCodeOf(errno), op, path)
  return new TransactionError(index, codes, { errno, op, path, outcome: 'not-applied', ...hint })
}

/** -1 if none failed. */
export function failedIndex(results: readonly MultiResult[]): number {
  return results.findIndex(({ err }) => err !== 0)
}
