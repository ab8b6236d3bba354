import { isZooKeeperError } from '../protocol/errors.ts'
import { type Operation } from '../protocol/operations.ts'
import { type CallOptions } from './options.ts'
import { asIs } from './shapes.ts'
import { type View } from './view.ts'

/** What a read answers; null for a znode that has vanished, or has never been. */
export async function readIfThere<T>(
  view: View,
  operation: Operation,
  path: string,
  options: CallOptions,
): Promise<T | null> {
  try {
    return await view.read<T>(operation, path, asIs<T>, options)
  } catch (error) {
    if (isZooKeeperError(error, 'NO_NODE')) return null
    throw error
  }
}
