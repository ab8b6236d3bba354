import { operations } from '../protocol/operations.ts'
import { type SyncOption } from './sync-option.ts'
import { readIfThere } from './if-there.ts'
import { type CallOptions } from './options.ts'
import { type DataResult } from './results.ts'
import { type View } from './view.ts'

/** The data of each path, in one batch; null for those that are missing. */
export async function getMany(
  view: View,
  paths: readonly string[],
  options: CallOptions & SyncOption = {},
): Promise<(DataResult | null)[]> {
  for (const path of paths) view.requests.path(path) // all are checked before one is sent
  const each = { ...options, sync: false }
  const read = () =>
    Promise.all(paths.map((path) => readIfThere<DataResult>(view, operations.getData, path, each)))
  return options.sync === true ? view.fresh('/', options, read) : read()
}
