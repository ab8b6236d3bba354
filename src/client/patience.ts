import { isZooKeeperError } from '../protocol/errors.ts'
import { type CallOptions } from './options.ts'
import { type View } from './view.ts'

/**
 * Tries again for as long as failures are those of a session that was lost or has expired: for what
 * outlives sessions and may be done twice.
 */
export async function patiently<T>(
  attempt: () => Promise<T>,
  untilServed: () => Promise<void>,
): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (
        !isZooKeeperError(error, 'CONNECTION_LOSS') &&
        !isZooKeeperError(error, 'SESSION_EXPIRED')
      ) {
        throw error
      }
      await untilServed()
    }
  }
}

/** How long clean-up waits for room in a queue that is full. */
const fullQueuePauseMs = 1_000

/**
 * Does what must be done sooner or later, for as long as the client lives: clean-up for which nobody
 * waits. Never rejects. What no waiting can mend (a missing permission, say) ends it.
 */
export async function insist(
  { keeper }: View,
  attempt: (options: CallOptions) => Promise<unknown>,
): Promise<void> {
  const untilConnected = () => keeper.waitFor(['connected'], { timeout: Infinity })
  for (;;) {
    try {
      await patiently(() => attempt({ timeout: Infinity }), untilConnected)
      return
    } catch (error) {
      if (!isZooKeeperError(error, 'QUEUE_FULL')) return
    }
    // Rejects when the time is over, resolves when the client is closed: the next attempt tells.
    await keeper.waitFor(['closed'], { timeout: fullQueuePauseMs }).catch(() => undefined)
  }
}
