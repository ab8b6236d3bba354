import { ZooKeeperError } from '../protocol/errors.ts'

/** Why there is no first session in time: what each host had against it, the only one as it was. */
export function noSessionError(
  withinMs: number,
  failedDials: ReadonlyMap<string, unknown>,
): ZooKeeperError {
  const reasons = Array.from(failedDials, ([host, error]) => `${host}: ${messageOf(error)}`)
  const why = reasons.length === 0 ? 'no server answered' : reasons.join('; ')
  const errors = [...failedDials.values()]
  const cause = errors.length > 1 ? new AggregateError(errors, why) : (errors[0] ?? null)
  const detail = `no session within ${withinMs} ms: ${why}`
  return new ZooKeeperError('TIMEOUT', { op: 'connect', detail, cause })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
