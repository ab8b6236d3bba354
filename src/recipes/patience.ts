/** How recipes deal with failures that pass, and with waits that must end. */
import {
  type CallOptions,
  isZooKeeperError,
  type ZooKeeper,
  ZooKeeperError,
} from '../client/index.ts'

/** How long clean-up waits for room in a queue that is full. */
const fullQueuePauseMs = 1_000

/** Whether trying again, once there is a link, may succeed. */
export function isPassing(error: unknown): boolean {
  return (
    isZooKeeperError(error, 'CONNECTION_LOSS') ||
    isZooKeeperError(error, 'SESSION_EXPIRED') ||
    isZooKeeperError(error, 'TIMEOUT') ||
    isZooKeeperError(error, 'QUEUE_FULL')
  )
}

/**
 * Does what must be done sooner or later, for as long as the client lives: clean-up for which nobody
 * waits. Never rejects. What no waiting can mend (a missing permission, say) ends it.
 */
export async function insist(zk: ZooKeeper, attempt: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await attempt()
      return
    } catch (error) {
      if (!isPassing(error)) return
      if (isZooKeeperError(error, 'QUEUE_FULL')) await pause(zk, fullQueuePauseMs)
    }
    try {
      await zk.waitFor('connected', { timeout: Infinity })
    } catch {
      return // the client is closed: its ephemerals go with its session
    }
  }
}

/** Waits so long, or until the client is closed. */
async function pause(zk: ZooKeeper, ms: number): Promise<void> {
  await zk.waitFor('closed', { timeout: ms }).catch(() => undefined)
}

/** A delete that is content if there is nothing to delete. */
export async function deleteIfThere(
  zk: ZooKeeper,
  path: string,
  options?: CallOptions,
): Promise<void> {
  try {
    await zk.delete(path, options)
  } catch (error) {
    if (!isZooKeeperError(error, 'NO_NODE')) throw error
  }
}

/**
 * Runs `work` under one signal that fires with the caller's signal or at the end of the timeout, and
 * tells the two apart: `ABORTED` with the signal's reason, or `TIMEOUT`.
 *
 * Calls inside pass `patient(signal)`, so that no other timeout is in play.
 */
export async function within<T>(
  zk: ZooKeeper,
  { signal, timeout = Infinity }: CallOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController()
  const abort = () => {
    ended.abort(signal?.reason)
  }
  if (signal?.aborted === true) abort()
  signal?.addEventListener('abort', abort, { once: true })
  const timer = zk.runtime.timer(zk.runtime.nowMs() + timeout, () => {
    ended.abort(new ZooKeeperError('TIMEOUT', { detail: `not done within ${timeout} ms` }))
  })
  try {
    return await work(ended.signal)
  } catch (error) {
    // The timer's abort looks like any other from inside; its reason is what the caller is told.
    throw isZooKeeperError(ended.signal.reason, 'TIMEOUT') && isZooKeeperError(error, 'ABORTED')
      ? ended.signal.reason
      : error
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', abort)
  }
}

/** Call options that leave the waiting to the signal. */
export function patient(signal: AbortSignal | undefined) {
  return { signal, timeout: Infinity }
}

/** Gives up waiting, with `ABORTED`, when the signal fires. */
export async function abortable(waiting: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let abort: () => void = () => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => {
      reject(new ZooKeeperError('ABORTED', { cause: signal.reason }))
    }
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  })
  try {
    await Promise.race([waiting, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
