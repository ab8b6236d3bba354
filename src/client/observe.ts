import { isZooKeeperError } from '../protocol/errors.ts'
import { type Stat } from '../protocol/records.ts'
import { patiently } from './patience.ts'
import { type Watch } from './watch.ts'

interface Value {
  readonly data: Buffer | null
  readonly stat: Stat
}

/** What observing needs of its client. */
export interface Observable {
  watch(): Watch
  /** The value now; rejects with `NO_NODE` if there is none. */
  read(): Promise<Value>
  /** Resolves when reading makes sense again; rejects when it never will. */
  readonly untilServed: () => Promise<void>
}

/** A znode's values, newest first come: each one that is not older than what was told before. */
export async function* observe(source: Observable): AsyncGenerator<Value | null, undefined> {
  const watch = source.watch()
  try {
    await watch.ready
    let told: Value | null | undefined
    for (;;) {
      watch.drain() // what happened up to here is in the value that is read next
      const value = await patiently(() => valueOrNull(source), source.untilServed)
      if (told === undefined || isOther(told, value)) yield value
      told = value
      const { done } = await watch.next()
      if (done === true) return undefined
    }
  } finally {
    await watch.return()
  }
}

async function valueOrNull(source: Observable): Promise<Value | null> {
  try {
    return await source.read()
  } catch (error) {
    if (isZooKeeperError(error, 'NO_NODE')) return null
    throw error
  }
}

/** A znode that was deleted and created again has another czxid, even at the same version. */
function isOther(told: Value | null, value: Value | null): boolean {
  return told?.stat.czxid !== value?.stat.czxid || told?.stat.mzxid !== value?.stat.mzxid
}
