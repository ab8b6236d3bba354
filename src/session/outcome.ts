/** What an answer, or the lack of one, says of a call. */
import { errorCodeOf, errorCodes } from '../protocol/error-codes.ts'
import { type Outcome } from '../protocol/errors.ts'
import { type Operation, operations } from '../protocol/operations.ts'
import { type Call, type Failure } from './call.ts'

const noNode = errorCodes.NO_NODE.errno

/** What the header of a reply says of its call, whatever stands in the body. */
export function outcomeOf({ operation }: Call, err: number): Outcome {
  if (err === 0) return operation.refusesInBody ? 'unknown' : 'applied'
  // Every error that ZooKeeper has means that nothing was done; of others nobody can say.
  return errorCodeOf(err) === 'UNKNOWN_ERROR' ? 'unknown' : 'not-applied'
}

/** That there is no such znode is an answer to `exists`. */
export function fateOf(
  call: Call,
  { errno, outcome = 'not-applied' }: Failure,
): Outcome | 'succeeded' {
  return errno === noNode && call.operation === operations.exists ? 'succeeded' : outcome
}

/** The server does not know the operation. */
export function unknownFailure({ since }: Operation): Failure {
  return { code: 'UNIMPLEMENTED', outcome: 'not-applied', since }
}
