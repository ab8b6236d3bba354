import { isZooKeeperError } from '../protocol/errors.ts'

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
