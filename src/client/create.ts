import { stripChroot } from '../protocol/path.ts'
import { type Create2Response } from '../protocol/records.ts'
import { ancestryOf, withAncestors } from './ancestors.ts'
import { type CallOptions } from './options.ts'
import { type CreateOptions, type Data, operationOfMode } from './requests.ts'
import { type CreateResult } from './results.ts'
import { type View } from './view.ts'

export function createZnode(
  view: View,
  path: string,
  data: Data,
  options: (CreateOptions & CallOptions) | undefined,
): Promise<CreateResult> {
  if (options?.parents !== undefined && options.parents !== false) {
    return createWithParents(view, path, data, options)
  }
  const requestOf = () => view.requests.create(path, data, options)
  return view.call(operationOfMode(options?.mode), requestOf, createdOf, options)
}

async function createWithParents(
  view: View,
  path: string,
  data: Data,
  options: CreateOptions & CallOptions,
): Promise<CreateResult> {
  // It may be sent more than once, and the caller may reuse its memory after the call.
  const request = view.requests.create(
    path,
    data instanceof Uint8Array ? Buffer.from(data) : data,
    options,
  )
  const create = (limits: CallOptions) => {
    return view.call(operationOfMode(options.mode), () => request, createdOf, limits)
  }
  const ancestry = ancestryOf(view, request.path, options)
  return withAncestors(view, options, create, () => ancestry)
}

function createdOf({ path, stat }: Create2Response, chroot: string): CreateResult {
  return { path: stripChroot(chroot, path), stat }
}
