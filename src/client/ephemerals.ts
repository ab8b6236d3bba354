import { operations } from '../protocol/operations.ts'
import { stripChroot } from '../protocol/path.ts'
import { type GetEphemeralsResponse } from '../protocol/records.ts'
import { type CallOptions } from './options.ts'
import { type View } from './view.ts'

/**
 * The ephemerals of the session at `path` and below it. Servers compare strings, not paths: asked for
 * `/a`, they tell of `/ab`, too.
 */
export async function getEphemerals(
  view: View,
  path: string,
  options: CallOptions | undefined,
): Promise<readonly string[]> {
  const prefixPath = view.requests.path(path)
  const request = { path: prefixPath, prefixPath }
  const found = await view.call(operations.getEphemerals, () => request, ephemeralsOf, options)
  return found
    .filter((ephemeral) => isWithin(prefixPath, ephemeral))
    .map((ephemeral) => stripChroot(view.chroot, ephemeral))
}

const ephemeralsOf = ({ ephemerals }: GetEphemeralsResponse) => ephemerals

function isWithin(ancestor: string, path: string): boolean {
  return ancestor === '/' || path === ancestor || path.startsWith(`${ancestor}/`)
}
