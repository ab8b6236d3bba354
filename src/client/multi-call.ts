import { ProtocolError } from '../protocol/errors.ts'
import { type MultiPart, type MultiResult } from '../protocol/multi.ts'
import { type Operation, operations } from '../protocol/operations.ts'
import { type CallOwner, rejection, Request } from './request.ts'
import { failedIndex, transactionErrorOf } from './transaction-error.ts'

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

  /** @throws {ProtocolError} if these are not the results of this multi. */
  override succeed(response: unknown): void {
    const results = response as readonly MultiResult[]
    if (!isAnswer(results, this.#parts)) {
      const cause = new ProtocolError('a multi was answered with the results of another one')
      this.fail({ code: 'PROTOCOL_ERROR', outcome: 'unknown', cause })
      throw cause
    }
    if (this.operation === operations.multiRead || failedIndex(results) === -1) {
      super.succeed(response)
    } else {
      this.release?.()
      this.resolve(rejection(() => transactionErrorOf(results, this.#parts, this.owner.chroot)))
    }
  }
}

function isAnswer(results: readonly MultiResult[], parts: readonly MultiPart[]): boolean {
  if (results.length !== parts.length) return false
  const isRefused = failedIndex(results) !== -1
  return results.every(({ type, err }, index) => {
    // Beside a failure, "no error" marks what was rolled back; else a result is told by what it is.
    if (type === errorType) return isRefused || err !== 0
    return resultOf(type) === resultOf(parts[index]!.type)
  })
}

/** Servers differ in what they answer to a create that returns a Stat. */
function resultOf(type: number): number {
  return creates.has(type) ? create.code : type
}

const errorType = -1
const { create, create2, createContainer, createTTL } = operations
const creates = new Set<number>([create, create2, createContainer, createTTL].map((o) => o.code))

const asIs = (results: readonly MultiResult[]) => results
