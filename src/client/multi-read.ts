import { errorCodeOf } from '../protocol/error-codes.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type MultiResult } from '../protocol/multi.ts'
import { operationByCode, operations } from '../protocol/operations.ts'
import { type SyncOption } from './sync-option.ts'
import { type CallPart } from './multi-call.ts'
import { type CallOptions } from './options.ts'
import { type ChildrenResult, type DataResult } from './results.ts'
import { type View } from './view.ts'

/** What came of one read of several, as `Promise.allSettled` tells it. */
export type ReadResult<T> =
  | { readonly status: 'fulfilled'; readonly value: T }
  | { readonly status: 'rejected'; readonly reason: ZooKeeperError }

/**
 * Several reads in one request. Each method adds one and returns the builder with the type of its
 * result; `read` sends them.
 *
 * Each succeeds or fails for itself, and they are no snapshot: a write may come between two of them.
 *
 * @example
 * const [config, members] = await zk.multiRead().getData('/config').getChildren('/members').read()
 * if (config.status === 'fulfilled') apply(config.value.data)
 */
export class MultiRead<Results extends readonly unknown[] = []> {
  readonly #view: View
  readonly #parts: CallPart[]

  /** @internal Use `zk.multiRead()`. */
  constructor(view: View, parts: CallPart[] = []) {
    this.#view = view
    this.#parts = parts
  }

  /** Adds a read of data. Its errors: `NO_NODE`, `NO_AUTH`. */
  getData(path: string): MultiRead<[...Results, ReadResult<DataResult>]> {
    return this.#with(operations.getData.code, path)
  }

  /** Adds a read of the names of children, without a Stat. Its errors: `NO_NODE`, `NO_AUTH`. */
  getChildren(path: string): MultiRead<[...Results, ReadResult<Pick<ChildrenResult, 'children'>>]> {
    return this.#with(operations.getChildren.code, path)
  }

  /**
   * Sends the reads. None resolve to `[]` without asking a server. It rejects only if they could not
   * be asked for at all; on a lost connection they are sent again.
   *
   * Errors: `REPLY_TOO_LARGE`, if all the answers together are; `UNIMPLEMENTED` by servers before 3.6.
   */
  async read(options: CallOptions & SyncOption = {}): Promise<Results> {
    if (this.#parts.length === 0) return [] as readonly unknown[] as Results
    const parts = [...this.#parts]
    const read = () => this.#view.multi(operations.multiRead, parts, options)
    const results = await (options.sync === true ? this.#view.fresh('/', options, read) : read())
    return results.map((result, index) => {
      return readResultOf(result, parts[index]!)
    }) as readonly unknown[] as Results
  }

  #with<Result>(type: number, path: string): MultiRead<[...Results, Result]> {
    const request = { path: this.#view.requests.path(path), watch: false }
    this.#parts.push({ type, request, path })
    return new MultiRead(this.#view, this.#parts)
  }
}

function readResultOf(
  { err, response }: MultiResult,
  { type, path }: CallPart,
): ReadResult<unknown> {
  if (err === 0) return { status: 'fulfilled', value: response }
  const op = operationByCode.get(type)?.name ?? null
  return {
    status: 'rejected',
    reason: new ZooKeeperError(errorCodeOf(err), { errno: err, op, path }),
  }
}
