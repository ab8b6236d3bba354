import { CreateFlags, type CreateMode } from '../protocol/constants.ts'
import { type ErrorCode, errorCodeOf } from '../protocol/error-codes.ts'
import { ProtocolError, ZooKeeperError } from '../protocol/errors.ts'
import { type MultiPart, type MultiResult } from '../protocol/multi.ts'
import { operationByCode, operations } from '../protocol/operations.ts'
import { stripChroot } from '../protocol/path.ts'
import { type Create2Response, type SetDataResponse, type Stat } from '../protocol/records.ts'
import { type CallOptions } from './options.ts'
import { type CallOwner, rejection, Request } from './request.ts'
import { type CreateOptions, type Data, type Requests } from './requests.ts'

/** The result of a create inside a transaction. */
export interface TransactionCreateResult {
  /** The path that was created: with its sequence number, if it has one. */
  readonly path: string
  /** Null from servers before 3.7.2, 3.8.2 and 3.9, which do not tell it inside a transaction. */
  readonly stat: Stat | null
}

/** Sends the parts of a transaction; implemented by the client. */
export type Commit = (
  parts: readonly MultiPart[],
  paths: readonly string[],
  options: CallOptions | undefined,
) => Promise<MultiResult[]>

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
  readonly #requests: Requests
  readonly #commit: Commit
  readonly #parts: MultiPart[]
  readonly #paths: string[]

  /** @internal Use `zk.multi()`. */
  constructor(requests: Requests, commit: Commit, parts: MultiPart[] = [], paths: string[] = []) {
    this.#requests = requests
    this.#commit = commit
    this.#parts = parts
    this.#paths = paths
  }

  /** Adds the condition that the znode exists and has this version; -1 for any. */
  check(path: string, version = -1): Transaction<[...Results, undefined]> {
    return this.#with(operations.check.code, path, this.#requests.check(path, version))
  }

  /** Adds a create; see `zk.create`. */
  create(
    path: string,
    data?: Data,
    options?: CreateOptions,
  ): Transaction<[...Results, TransactionCreateResult]> {
    const mode: CreateMode = options?.mode ?? 'persistent'
    const request = this.#requests.create(path, data, options)
    return this.#with(operationOfMode(mode).code, path, request)
  }

  /** Adds a write of data; see `zk.setData`. */
  setData(
    path: string,
    data: Data,
    options?: { readonly version?: number },
  ): Transaction<[...Results, Stat]> {
    return this.#with(operations.setData.code, path, this.#requests.setData(path, data, options))
  }

  /** Adds a delete; see `zk.delete`. */
  delete(
    path: string,
    options?: { readonly version?: number },
  ): Transaction<[...Results, undefined]> {
    return this.#with(operations.delete.code, path, this.#requests.delete(path, options))
  }

  /**
   * Sends the transaction. An empty one resolves to `[]` without asking a server.
   *
   * @throws {TransactionError} with the code of the first operation that failed; nothing was applied.
   * @throws {ZooKeeperError} `CONNECTION_LOSS` with `outcome: 'unknown'` if the reply was lost: then
   * all of it was applied, or nothing.
   */
  async commit(options?: CallOptions): Promise<Results> {
    if (this.#parts.length === 0) return [] as readonly unknown[] as Results
    const chroot = this.#requests.chroot
    const results = await this.#commit(this.#parts, this.#paths, options)
    return results.map((result) => resultOf(result, chroot)) as readonly unknown[] as Results
  }

  #with<Result>(type: number, path: string, request: unknown): Transaction<[...Results, Result]> {
    this.#parts.push({ type, request })
    this.#paths.push(path)
    return new Transaction(this.#requests, this.#commit, this.#parts, this.#paths)
  }
}

/** A transaction that was refused as a whole, because one of its operations failed. */
export class TransactionError extends ZooKeeperError {
  /** Which operation failed, from 0. `code`, `op` and `path` are that operation's. */
  readonly index: number
  /** Of each operation: null before the one that failed, `RUNTIME_INCONSISTENCY` after it. */
  readonly codes: readonly (ErrorCode | null)[]

  constructor(results: readonly MultiResult[], parts: readonly MultiPart[], path: string | null) {
    const index = failedIndex(results)
    const errno = results[index]?.err ?? 0
    const op = operationByCode.get(parts[index]?.type ?? 0)?.name ?? 'multi'
    super(errorCodeOf(errno), { errno, op, path, outcome: 'not-applied' })
    this.index = index
    this.codes = results.map(({ err }) => (err === 0 ? null : errorCodeOf(err)))
  }
}

/** A multi on its way: its failure is told in the body of a reply that says "no error". */
export class MultiCall extends Request<MultiResult[]> {
  readonly #parts: readonly MultiPart[]
  readonly #paths: readonly string[]

  constructor(
    owner: CallOwner,
    parts: readonly MultiPart[],
    paths: readonly string[],
    resolve: (value: MultiResult[] | PromiseLike<MultiResult[]>) => void,
  ) {
    super(owner, operations.multi, parts, '', null, (results: MultiResult[]) => results, resolve)
    this.#parts = parts
    this.#paths = paths
  }

  override succeed(response: unknown): void {
    const results = response as readonly MultiResult[]
    const index = failedIndex(results)
    if (index !== -1) {
      this.release?.()
      const path = this.#paths[index] ?? null
      this.resolve(rejection(() => new TransactionError(results, this.#parts, path)))
    } else if (results.length === this.#parts.length) {
      super.succeed(response)
    } else {
      const cause = new ProtocolError('a multi was answered with another number of results')
      this.fail({ code: 'PROTOCOL_ERROR', outcome: 'applied', cause })
    }
  }
}

/** Which operation creates a znode of this mode. */
export function operationOfMode(mode: CreateMode) {
  if (mode === 'container') return operations.createContainer
  return CreateFlags[mode] >= CreateFlags['persistent-with-ttl']
    ? operations.createTTL
    : operations.create2
}

function failedIndex(results: readonly MultiResult[]): number {
  return results.findIndex(({ err }) => err !== 0)
}

function resultOf({ type, response }: MultiResult, chroot: string): unknown {
  if (type === operations.create.code || type === operations.create2.code) {
    const { path, stat = null } = response as Partial<Create2Response> & { path: string }
    return { path: stripChroot(chroot, path), stat }
  }
  return type === operations.setData.code ? (response as SetDataResponse).stat : undefined
}
