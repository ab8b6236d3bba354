import { isZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { type SyncOption } from './sync-option.ts'
import { type CallOptions } from './options.ts'
import { type DataResult } from './results.ts'
import { type View } from './view.ts'
import { asIs } from './shapes.ts'

/** The data of each path, in one batch; null for those that are missing. */
export async function getMany(
  view: View,
  paths: readonly string[],
  options: CallOptions & SyncOption = {},
): Promise<(DataResult | null)[]> {
  for (const path of paths) view.requests.path(path) // all are checked before one is sent
  const each = { ...options, sync: false }
  const read = () => Promise.all(paths.map((path) => getIfThere(view, path, each)))
  return options.sync === true ? view.fresh('/', options, read) : read()
}

async function getIfThere(
  view: View,
  path: string,
  options: CallOptions,
): Promise<DataResult | null> {
  try {
    return await view.read<DataResult>(operations.getData, path, asIs, options)
  } catch (error) {
    if (isZooKeeperError(error, 'NO_NODE')) return null
    throw error
  }
}
