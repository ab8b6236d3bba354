import { type ErrorCode, isZooKeeperError, ZooKeeperError } from '../protocol/index.ts'

const marshallingError = -5

/** Ends the request at hand with `code`: the one way in which rules say no. */
export function refuse(code: ErrorCode): never {
  throw new ZooKeeperError(code)
}

/** The error code to answer. Like a real server, one that meets anything unexpected says -5. */
export function errnoOf(error: unknown): number {
  return (isZooKeeperError(error) ? error.errno : null) ?? marshallingError
}
