import { isZooKeeperError, ZooKeeperError } from '../protocol/errors.ts'
import { type Operation, operations } from '../protocol/operations.ts'
import { stripChroot } from '../protocol/path.ts'
import {
  type CreateRequest,
  type CreateResponse,
  type ExistsResponse,
  type Stat,
} from '../protocol/records.ts'
import { Budget } from './budget.ts'
import { type CallOptions } from './options.ts'
import { type Shape } from './request.ts'
import { owned } from './requests.ts'
import { asIs } from './shapes.ts'
import { type View } from './view.ts'

/**
 * A create, also on servers that know only the oldest one, which does not answer a Stat: there it is
 * read behind it.
 */
export function callCreate<T>(
  view: View,
  operation: Operation,
  requestOf: () => { readonly path: string },
  shape: Shape<T>,
  options: CallOptions | undefined,
): Promise<T> {
  const { capabilities } = view.keeper.session.pipeline
  return operation !== operations.create2 || capabilities.isKnown(operation)
    ? view.call(operation, requestOf, shape, options)
    : createCautiously(view, requestOf, shape, options)
}

async function createCautiously<T>(
  view: View,
  requestOf: () => { readonly path: string },
  shape: Shape<T>,
  options: CallOptions | undefined,
): Promise<T> {
  const request = owned(requestOf() as CreateRequest) // it may be sent twice
  const once = () => request
  const path = stripChroot(view.chroot, request.path)
  const budget = new Budget(view, options, { op: 'create', path })
  try {
    return await view.call(operations.create2, once, shape, options)
  } catch (error) {
    if (!isZooKeeperError(error, 'UNIMPLEMENTED') || error.since === null) throw error
  }
  const limits = budget.options()
  const created = await view.call<CreateResponse>(operations.create, once, asIs, limits)
  const stat = await statOfCreated(view, created.path, budget)
  return shape({ path: created.path, stat } as never, view.chroot)
}

/** Whatever becomes of the read, the znode has been created. */
async function statOfCreated(view: View, path: string, budget: Budget): Promise<Stat> {
  const request = { path, watch: false }
  const about = { op: 'create', path: stripChroot(view.chroot, path), outcome: 'applied' } as const
  let found: ExistsResponse | null
  try {
    const limits = budget.options()
    found = await view.call<ExistsResponse | null>(operations.exists, () => request, asIs, limits)
  } catch (error) {
    if (!isZooKeeperError(error)) throw error
    const detail = 'created, but its Stat could not be read'
    const cause = error.code === 'ABORTED' ? error.cause : error
    throw new ZooKeeperError(error.code, { ...about, detail, cause })
  }
  if (found !== null) return found.stat
  const detail = 'created, but gone before its Stat was read'
  throw new ZooKeeperError('NO_NODE', { ...about, detail })
}
