import { isZooKeeperError, ZooKeeperError } from '../protocol/errors.ts'
import { type Operation, operations } from '../protocol/operations.ts'
import {
  type CreateRequest,
  type CreateResponse,
  type ExistsResponse,
} from '../protocol/records.ts'
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
  try {
    return await view.call(operations.create2, once, shape, options)
  } catch (error) {
    if (!isZooKeeperError(error, 'UNIMPLEMENTED') || error.since === null) throw error
  }
  const { path } = await view.call<CreateResponse>(operations.create, once, asIs, options)
  const read = () => ({ path, watch: false })
  const found = await view.call<ExistsResponse | null>(operations.exists, read, asIs, options)
  if (found === null) {
    const detail = 'created, but gone before its Stat was read'
    throw new ZooKeeperError('NO_NODE', { op: 'create', path, detail, outcome: 'applied' })
  }
  return shape({ path, stat: found.stat } as never, view.chroot)
}
