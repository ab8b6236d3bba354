import { isZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { type Stat } from '../protocol/records.ts'
import { type WatchEvent } from '../session/watches.ts'
import { patiently } from './patience.ts'
import { type DataResult } from './results.ts'
import { asIs, statOf } from './shapes.ts'
import { type View } from './view.ts'

type Value = DataResult | null

/**
 * A znode's values, newest first come: each one that is not older than what was told before.
 *
 * Each read sets a one-shot watch, and is followed by another when that fires. Every server knows those,
 * and what changes while there is no connection is told behind it.
 */
export async function* observe(
  view: View,
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Value, undefined> {
  const left = new AbortController()
  const limits = { signal, timeout: Infinity }
  try {
    for (let told: Value | undefined; ;) {
      const change = new Change()
      const options = { ...limits, watch: change.tell, watchSignal: left.signal }
      const value = await patiently(
        () => look(view, path, options),
        () => view.untilServed(limits),
      )
      if (told === undefined || isOther(told, value)) yield value
      told = value
      await view.keeper.wait('observe', limits, change.whenTold)
      if (change.event?.type === 'closed') return undefined
    }
  } catch (error) {
    if (isZooKeeperError(error, 'CLOSED')) return undefined
    throw error
  } finally {
    left.abort()
  }
}

/** The first event of a watch, for one who waits, before or after. */
class Change {
  event: WatchEvent | null = null
  #told: () => void = () => undefined

  readonly tell = (event: WatchEvent): void => {
    this.event = event
    this.#told()
  }

  readonly whenTold = (told: () => void): void => {
    if (this.event === null) this.#told = told
    else told()
  }
}

/** The value now, and a watch on whatever comes after it. */
async function look(
  view: View,
  path: string,
  options: Parameters<View['read']>[3],
): Promise<Value> {
  for (;;) {
    try {
      return await view.read<DataResult>(operations.getData, path, asIs, options)
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error
    }
    // The read has left no watch, and there may be a znode by now.
    if ((await view.read<Stat | null>(operations.exists, path, statOf, options)) === null)
      return null
  }
}

/** A znode that was deleted and created again has another czxid, even at the same version. */
function isOther(told: Value, value: Value): boolean {
  return told?.stat.czxid !== value?.stat.czxid || told?.stat.mzxid !== value?.stat.mzxid
}
