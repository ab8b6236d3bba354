import { type MultiResult } from '../protocol/multi.ts'
import { operations } from '../protocol/operations.ts'
import { stripChroot } from '../protocol/path.ts'
import { type Create2Response, type SetDataResponse, type Stat } from '../protocol/records.ts'
import { type Ancestry, ancestryOf, withAncestors } from './ancestors.ts'
import { Budget } from './budget.ts'
import { type CallPart } from './multi-call.ts'
import { TransactionError } from './transaction-error.ts'
import { type CallOptions } from './options.ts'
import { callMulti } from './plain-multi.ts'
import { type CreateOptions, type Data, operationOfMode, owned } from './requests.ts'
import { type View } from './view.ts'

/** The result of a create inside a transaction. */
export interface TransactionCreateResult {
  /** The path that was created: with its sequence number, if it has one. */
  readonly path: string
  /**
   * Null from servers that do not tell it inside a transaction: those before 3.7.2, 3.8.2 and 3.9, and
   * those that have no `create2`.
   */
  readonly stat: Stat | null
}

/**
 * Several writes that happen together or not at all. Each method adds one and returns the transaction
 * with the type of its result; `commit` sends them.
 *
 * @example
 * const [, created, stat] = await zk
 *   .multi()
 *   .check('/config', 3)
 *   .create('/config/next', 'v2')
 *   .setData('/config', 'v1')
 *   .commit()
 */
export class Transaction<Results extends readonly unknown[] = []> {
  readonly #view: View
  readonly #parts: Part[]

  /** @internal Use `zk.multi()`. */
  constructor(view: View, parts: Part[] = []) {
    this.#view = view
    this.#parts = parts
  }

  /** Adds the condition that the znode exists and has this version; -1 for any. */
  check(path: string, version = -1): Transaction<[...Results, undefined]> {
    return this.#with(operations.check.code, path, this.#view.requests.check(path, version))
  }

  /**
   * Adds a create; see `zk.create`. Ancestors that `parents` asks for are made before the transaction,
   * and stay if it fails.
   */
  create(
    path: string,
    data?: Data,
    options?: CreateOptions,
  ): Transaction<[...Results, TransactionCreateResult]> {
    const request = this.#view.requests.create(path, data, options)
    const ancestry = ancestryOf(this.#view, request.path, options)
    return this.#with(operationOfMode(options?.mode).code, path, request, ancestry)
  }

  /** Adds a write of data; see `zk.setData`. */
  setData(
    path: string,
    data: Data,
    options?: { readonly version?: number },
  ): Transaction<[...Results, Stat]> {
    return this.#with(
      operations.setData.code,
      path,
      this.#view.requests.setData(path, data, options),
    )
  }

  /** Adds a delete; see `zk.delete`. */
  delete(
    path: string,
    options?: { readonly version?: number },
  ): Transaction<[...Results, undefined]> {
    return this.#with(operations.delete.code, path, this.#view.requests.delete(path, options))
  }

  /**
   * Sends the transaction. An empty one resolves to `[]` without asking a server. With `parents`, what
   * {@link CallOptions.timeout} says is for the ancestors, too.
   *
   * @throws {TransactionError} with the code of the first operation that failed; nothing was applied.
   * @throws {ZooKeeperError} `CONNECTION_LOSS` with `outcome: 'unknown'` if the reply was lost: then
   * all of it was applied, or nothing.
   */
  async commit(options?: CallOptions): Promise<Results> {
    if (this.#parts.length === 0) return [] as readonly unknown[] as Results
    const results = await this.#send(options)
    const { chroot } = this.#view
    return results.map((result) => resultOf(result, chroot)) as readonly unknown[] as Results
  }

  #send(options: CallOptions | undefined): Promise<readonly MultiResult[]> {
    const view = this.#view
    const parts = [...this.#parts]
    if (parts.every(({ ancestry }) => ancestry === null)) return callMulti(view, parts, options)
    const own = parts.map((part) => ({ ...part, request: owned(part.request) })) // sent twice
    const budget = new Budget(view, options, { op: operations.multi.name })
    const commit = (limits: CallOptions) => callMulti(view, own, limits)
    return withAncestors(view, budget, commit, (error) => {
      return error instanceof TransactionError ? (own[error.index]?.ancestry ?? null) : null
    })
  }

  #with<Result>(
    type: number,
    path: string,
    request: unknown,
    ancestry: Ancestry | null = null,
  ): Transaction<[...Results, Result]> {
    this.#parts.push({ type, request, path, ancestry })
    return new Transaction(this.#view, this.#parts)
  }
}

interface Part extends CallPart {
  /** What to make if the znode of a create has no parent. */
  readonly ancestry: Ancestry | null
}

function resultOf({ type, response }: MultiResult, chroot: string): unknown {
  if (type === operations.create.code || type === operations.create2.code) {
    const { path, stat = null } = response as Partial<Create2Response> & { path: string }
    return { path: stripChroot(chroot, path), stat }
  }
  return type === operations.setData.code ? (response as SetDataResponse).stat : undefined
}
