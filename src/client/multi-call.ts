import { type ErrorCode, errorCodeOf } from '../protocol/error-codes.ts'
import { ProtocolError, ZooKeeperError } from '../protocol/errors.ts'
import { type MultiPart, type MultiResult } from '../protocol/multi.ts'
import { type Operation, operationByCode, operations } from '../protocol/operations.ts'
import { type CallOwner, rejection, Request } from './request.ts'

/** A transaction that was refused as a whole, because one of its operations failed. */
export class TransactionError extends ZooKeeperError {
  /** Which operation failed, from 0. `code`, `op` and `path` are that operation's. */
  readonly index: number
  /** Of each operation: null before the one that failed, `RUNTIME_INCONSISTENCY` after it. */
  readonly codes: readonly (ErrorCode | null)[]

  constructor(results: readonly MultiResult[], parts: readonly CallPart[]) {
    const index = failedIndex(results)
    const errno = results[index]?.err ?? 0
    const { type = 0, path = null } = parts[index] ?? {}
    const op = operationByCode.get(type)?.name ?? 'multi'
    super(errorCodeOf(errno), { errno, op, path, outcome: 'not-applied' })
    this.index = index
    this.codes = results.map(({ err }) => (err === 0 ? null : errorCodeOf(err)))
  }
}

/** One operation of a multi or multiRead, and its path as the caller wrote it. */
export interface CallPart extends MultiPart {
  readonly path: string
}

/**
 * A multi or multiRead on its way: failures are told in the body of a reply that says "no error". Those
 * of writes are one, those of reads each for itself.
 */
export class MultiCall extends Request<readonly MultiResult[]> {
  readonly #parts: readonly CallPart[]

  constructor(
    owner: CallOwner,
    operation: Operation,
    parts: readonly CallPart[],
    resolve: (value: readonly MultiResult[] | PromiseLike<readonly MultiResult[]>) => void,
  ) {
    const [only] = parts.length === 1 ? parts : []
    const path = only === undefined ? '' : (only.request as { readonly path: string }).path
    super(owner, operation, parts, path, null, asIs, resolve)
    this.#parts = parts
  }

  override succeed(response: unknown): void {
    const results = response as readonly MultiResult[]
    const index = this.operation === operations.multiRead ? -1 : failedIndex(results)
    if (index !== -1) {
      this.release?.()
      this.resolve(rejection(() => new TransactionError(results, this.#parts)))
    } else if (results.length === this.#parts.length) {
      super.succeed(response)
    } else {
      const cause = new ProtocolError('a multi was answered with another number of results')
      this.fail({ code: 'PROTOCOL_ERROR', outcome: 'applied', cause })
    }
  }
}

function failedIndex(results: readonly MultiResult[]): number {
  return results.findIndex(({ err }) => err !== 0)
}

const asIs = (results: readonly MultiResult[]) => results
