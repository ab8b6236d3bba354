import { ancestryOf, withAncestors } from './ancestors.ts'
import { createIdempotently, type IdempotentOption, isIdempotent } from './idempotent.ts'
import { type CallOptions } from './options.ts'
import { Budget } from './budget.ts'
import { callCreate } from './plain-create.ts'
import { createProtected, type ProtectOption } from './protected.ts'
import { type CreateOptions, type Data, operationOfMode } from './requests.ts'
import { type CreateResult } from './results.ts'
import { createdOf } from './shapes.ts'
import { type View } from './view.ts'

/** How to create a znode, and what to do if the reply is lost. */
export type CreateCallOptions = CreateOptions & CallOptions & ProtectOption & IdempotentOption

export function createZnode(
  view: View,
  path: string,
  data: Data,
  options: CreateCallOptions | undefined,
): Promise<CreateResult> {
  if (options?.parents !== undefined && options.parents !== false) {
    return createWithParents(view, path, data, options)
  }
  return createAlone(view, path, data, options)
}

async function createWithParents(
  view: View,
  path: string,
  data: Data,
  options: CreateCallOptions,
): Promise<CreateResult> {
  // It may be sent more than once, and the caller may reuse its memory after the call.
  const own = data instanceof Uint8Array ? Buffer.from(data) : data
  const ancestry = ancestryOf(view, view.requests.create(path, own, options).path, options)
  const create = (limits: CallOptions) => createAlone(view, path, own, { ...options, ...limits })
  const budget = new Budget(view, options, { op: 'create', path })
  return withAncestors(view, budget, create, () => ancestry)
}

function createAlone(
  view: View,
  path: string,
  data: Data,
  options: CreateCallOptions | undefined,
): Promise<CreateResult> {
  if (options?.protect === true) return createProtected(view, path, data, options)
  if (isIdempotent(options)) return createIdempotently(view, path, data, options)
  const requestOf = () => view.requests.create(path, data, options)
  return callCreate(view, operationOfMode(options?.mode), requestOf, createdOf, options)
}
