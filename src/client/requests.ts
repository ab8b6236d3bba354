/**
 * The request records of each call, made from what a user writes: paths checked and put below the
 * chroot, data turned into bytes, defaults filled in. Alone and inside a transaction alike.
 */
import { CreateFlags, type CreateMode, ttlMsMax } from '../protocol/constants.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { prependChroot, validatePath, validateSequentialPath } from '../protocol/path.ts'
import type * as records from '../protocol/records.ts'
import { type ACL } from '../protocol/records.ts'
import { inlineBytesMax } from '../session/frame.ts'

/** What a znode holds: strings as UTF-8; omitted is empty; null is null, which is not empty. */
export type Data = string | Uint8Array | null | undefined

/** What kind of znode to create. */
export interface CreateOptions {
  /** Default `'persistent'`. */
  readonly mode?: CreateMode
  /** Default: the client's `acl`. */
  readonly acl?: readonly ACL[]
  /**
   * For the modes `…-with-ttl`: milliseconds without a change and without children after which the
   * servers delete the znode; 1 to 1,099,511,627,775. They must have extended types enabled.
   */
  readonly ttl?: number
  /**
   * Make the ancestors that are missing, a missing chroot too: empty, with the same ACL, and as
   * containers (`true`), which the servers remove when their last child is gone. Whoever else does
   * the same at the same time is no reason to fail. If the create fails, they stay. Default false.
   */
  readonly parents?: boolean | 'persistent' | 'container' | undefined
}

const empty = Buffer.alloc(0)

export class Requests {
  readonly chroot: string
  readonly #acl: readonly ACL[]

  constructor(chroot: string, acl: readonly ACL[]) {
    this.chroot = chroot
    this.#acl = acl
  }

  /** The server's name for a path. */
  path(path: string): string {
    validatePath(path)
    return prependChroot(this.chroot, path)
  }

  check(path: string, version: number): records.CheckVersionRequest {
    return { path: this.path(path), version: int32('version', version) }
  }

  create(
    path: string,
    data: Data,
    options: CreateOptions = {},
  ): records.CreateRequest | records.CreateTTLRequest {
    const { mode = 'persistent', acl = this.#acl, ttl } = options
    const flags = CreateFlags[mode] as number | undefined
    if (flags === undefined) refuse(`"${mode}" is no create mode`)
    if (mode.includes('sequential')) validateSequentialPath(path)
    else validatePath(path)
    const request = {
      path: prependChroot(this.chroot, path),
      data: bytesOf(data),
      acl,
      flags,
    }
    if (flags < CreateFlags['persistent-with-ttl']) {
      if (ttl !== undefined) refuse(`a ttl needs a mode that ends in "-with-ttl"`)
      return request
    }
    if (!Number.isInteger(ttl) || ttl! < 1 || ttl! > ttlMsMax) {
      refuse(`a ttl is a whole number of milliseconds from 1 to ${ttlMsMax}`)
    }
    return { ...request, ttl: ttl! }
  }

  setData(path: string, data: Data, options?: { readonly version?: number | undefined }) {
    const version = versionOf(options)
    return { path: this.path(path), data: bytesOf(data), version } satisfies records.SetDataRequest
  }

  delete(path: string, options?: { readonly version?: number | undefined }) {
    return {
      path: this.path(path),
      version: versionOf(options),
    } satisfies records.DeleteRequest
  }

  setACL(
    path: string,
    acl: readonly ACL[],
    options?: { readonly version?: number | undefined },
  ): records.SetACLRequest {
    if (!Array.isArray(acl)) refuse('an ACL is an array of entries')
    return { path: this.path(path), acl, version: versionOf(options) }
  }
}

/** Which operation creates a znode of this mode. */
export function operationOfMode(mode: CreateMode = 'persistent') {
  if (mode === 'container') return operations.createContainer
  return CreateFlags[mode] >= CreateFlags['persistent-with-ttl']
    ? operations.createTTL
    : operations.create2
}

function versionOf(options: { readonly version?: number | undefined } | undefined): number {
  const version = options?.version
  return version === undefined ? -1 : int32('version', version)
}

function int32(name: string, value: number): number {
  if (value === (value | 0)) return value
  return refuse(`${name} is not a 32-bit integer`)
}

function bytesOf(data: Data): Uint8Array | null {
  if (data === undefined) return empty
  if (data === null) return null
  if (typeof data === 'string') return Buffer.from(data, 'utf8')
  if (data instanceof Uint8Array) return data
  return refuse('data is neither a string nor a Uint8Array nor null')
}

/** A request that may be sent again later: what the caller may reuse by then is copied. */
export function owned<R>(request: R): R {
  const { data } = request as { readonly data?: unknown }
  if (!(data instanceof Uint8Array) || data.length > inlineBytesMax) return request
  return { ...request, data: Buffer.from(data) }
}

export function refuse(detail: string): never {
  throw new ZooKeeperError('BAD_ARGUMENTS', { detail })
}
