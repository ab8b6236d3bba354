import { operations } from '../protocol/operations.ts'
import { type CallOptions } from './options.ts'
import { type View } from './view.ts'

/**
 * Alone, servers do not answer a check, or close the connection: so it is a multi of one part. Other
 * than that of a multi with writes, its loss leaves nothing in doubt, and it may be sent again.
 */
const loneCheck = { ...operations.multi, name: operations.check.name, effect: 'read' } as const

export async function check(
  view: View,
  path: string,
  version: number,
  options: CallOptions | undefined,
): Promise<void> {
  const request = view.requests.check(path, version)
  await view.multi(loneCheck, [{ type: operations.check.code, request, path }], options)
}
