/** Deletes a subtree while others create and delete in it. */
import { isZooKeeperError, ZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { Budget } from './budget.ts'
import { type CallOptions } from './options.ts'
import { type View } from './view.ts'
import { walk } from './walk.ts'
import { nothing } from './shapes.ts'

/** So often a subtree may get new znodes, or the connection may be lost, before we give up. */
const roundsMax = 20

/** Deletes on their way at a time. */
const batchMax = 1_000

export async function deleteRecursive(
  view: View,
  path: string,
  options?: CallOptions,
): Promise<void> {
  if (view.requests.path(path) === '/') {
    const detail = 'the root cannot be deleted'
    throw new ZooKeeperError('BAD_ARGUMENTS', { op: 'deleteRecursive', path, detail })
  }
  const about = { op: 'deleteRecursive', path, outcome: 'unknown' } as const // some may be gone
  const budget = new Budget(view, options, about, 'open')
  for (let round = 1; ; round++) {
    try {
      await deleteOnce(view, path, budget)
      return
    } catch (error) {
      if (round === roundsMax || !isPassing(error)) throw error
    }
    await view.untilServed(budget.options())
  }
}

/** Rejects with the gravest of the reasons why something is not gone. */
async function deleteOnce(view: View, path: string, budget: Budget): Promise<void> {
  const paths: string[] = []
  for await (const entry of walk(view, path, () => budget.options())) paths.push(entry.path)
  paths.reverse() // servers carry out a session's writes in order, so children go before parents
  for (let start = 0; start < paths.length; start += batchMax) {
    const options = budget.options()
    const batch = paths.slice(start, start + batchMax)
    const results = await Promise.all(batch.map((one) => deleteIfThere(view, one, options)))
    const errors = results.filter((error) => error !== null)
    if (errors.length > 0) throw errors.find((error) => !isPassing(error)) ?? errors[0]!
  }
}

async function deleteIfThere(
  view: View,
  path: string,
  options: CallOptions,
): Promise<ZooKeeperError | null> {
  const request = view.requests.delete(path)
  try {
    await view.call(operations.delete, () => request, nothing, options)
    return null
  } catch (error) {
    return isZooKeeperError(error, 'NO_NODE') ? null : (error as ZooKeeperError)
  }
}

/** Whether another round may find it gone, or delete it. */
function isPassing(error: unknown): boolean {
  return (
    isZooKeeperError(error, 'NOT_EMPTY') ||
    isZooKeeperError(error, 'CONNECTION_LOSS') ||
    isZooKeeperError(error, 'SESSION_EXPIRED')
  )
}
