import { ZooKeeperError } from '../protocol/errors.ts'
import { type Runtime } from '../session/runtime.ts'
import { type CallOptions } from './options.ts'

/**
 * The options of each request of a call that makes several: its `timeout`, if it was given one, is the
 * time for all of them together. Without one, each request has the client's.
 *
 * @throws {ZooKeeperError} `TIMEOUT`, when it is asked for options and the time is over.
 */
export function timeLimit(
  { nowMs }: Pick<Runtime, 'nowMs'>,
  options: CallOptions = {},
): () => CallOptions {
  const { signal, timeout, retry } = options
  if (timeout === undefined || !(timeout > 0)) return () => ({ signal, timeout, retry })
  const endMs = nowMs() + timeout
  return () => {
    const leftMs = endMs - nowMs()
    if (leftMs <= 0) throw new ZooKeeperError('TIMEOUT', { detail: `not done in ${timeout} ms` })
    return { signal, timeout: leftMs, retry }
  }
}
