import { isZooKeeperError, type ZooKeeper } from '../client/index.ts'
import { Contender, type Line } from './contender.ts'
import { Lease } from './lease.ts'

/**
 * Stands in line until it is our turn, and takes the lease. Who loses its place while waiting, because
 * its session expired, joins again at the end.
 *
 * If it fails, whatever the reason, no znode stays behind.
 */
export async function waitForLease(zk: ZooKeeper, line: Line, signal: AbortSignal): Promise<Lease> {
  for (;;) {
    const contender = await Contender.enter(zk, line, signal)
    try {
      await waitForTurn(contender, signal)
      return await Lease.take(zk, contender, signal)
    } catch (error) {
      void contender.leave()
      if (!isPlaceLost(error)) throw error
    }
  }
}

/** Takes the lease if nobody is ahead of us; null, and no znode, if somebody is. */
export async function tryLease(
  zk: ZooKeeper,
  line: Line,
  signal: AbortSignal,
): Promise<Lease | null> {
  const contender = await Contender.enter(zk, line, signal)
  try {
    if ((await contender.predecessor(signal)) === null) {
      return await Lease.take(zk, contender, signal)
    }
  } catch (error) {
    void contender.leave()
    throw error
  }
  await contender.leave()
  return null
}

/** Only the one directly behind is woken when somebody leaves, so a thousand waiters are no herd. */
async function waitForTurn(contender: Contender, signal: AbortSignal): Promise<void> {
  for (;;) {
    const predecessor = await contender.predecessor(signal)
    if (predecessor === null) return
    await contender.untilChanged(predecessor, signal)
  }
}

function isPlaceLost(error: unknown): boolean {
  return (
    isZooKeeperError(error, 'LEASE_LOST') ||
    isZooKeeperError(error, 'NO_NODE') ||
    isZooKeeperError(error, 'CONNECTION_LOSS') ||
    isZooKeeperError(error, 'SESSION_EXPIRED')
  )
}
