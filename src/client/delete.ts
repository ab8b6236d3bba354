import { isZooKeeperError, type ZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { type Stat } from '../protocol/records.ts'
import { deleteIdempotently, type IdempotentOption, isIdempotent } from './idempotent.ts'
import { type CallOptions } from './options.ts'
import { insist } from './patience.ts'
import { nothing, statOf } from './shapes.ts'
import { type View } from './view.ts'

/** How to delete a znode, and what to do if that fails for a time. */
export interface DeleteOptions extends CallOptions, IdempotentOption {
  /** The version the znode must have; else `BAD_VERSION`. Default: any. */
  readonly version?: number | undefined
  /**
   * Goes on in the background if the call fails without an answer of the servers (a lost connection or
   * session, a timeout, an abort), until the znode is gone or the client is closed. A znode of that name
   * that was created since the call is left alone. The call rejects all the same. Default false.
   */
  readonly guaranteed?: boolean | undefined
}

export function deleteZnode(
  view: View,
  path: string,
  options: DeleteOptions | undefined,
): Promise<void> {
  return options?.guaranteed === true
    ? deleteGuaranteed(view, path, options)
    : deleteOnce(view, path, options)
}

function deleteOnce(view: View, path: string, options: DeleteOptions | undefined): Promise<void> {
  if (isIdempotent(options)) return deleteIdempotently(view, path, options)
  const requestOf = () => view.requests.delete(path, options)
  return view.call(operations.delete, requestOf, nothing, options)
}

async function deleteGuaranteed(view: View, path: string, options: DeleteOptions): Promise<void> {
  const { lastZxid } = view.keeper.session.pipeline
  try {
    await deleteOnce(view, path, options)
  } catch (error) {
    if (isZooKeeperError(error) && isUnanswered(error)) void goOn(view, path, options, lastZxid)
    throw error
  }
}

/** By the client itself: the view may be closed by now. */
function goOn(view: View, path: string, options: DeleteOptions, lastZxid: bigint): Promise<void> {
  const { absolute } = view.base
  const request = { ...view.requests.delete(path, options) }
  return insist(absolute, async (limits) => {
    await absolute.call(operations.sync, () => ({ path: request.path }), nothing, limits)
    const stat = await absolute.read<Stat | null>(operations.exists, request.path, statOf, limits)
    if (stat === null || stat.czxid > lastZxid) return
    await absolute.call(operations.delete, () => request, nothing, limits)
  })
}

/** Whether no server has refused the delete: it was not done, or nobody knows. */
function isUnanswered({ code, outcome }: ZooKeeperError): boolean {
  if (outcome === 'unknown') return true
  return ['CONNECTION_LOSS', 'SESSION_EXPIRED', 'TIMEOUT', 'ABORTED', 'QUEUE_FULL'].includes(code)
}
