/** What the calls of a client give back. */
import { type ACL, type Stat } from '../protocol/records.ts'

/** A znode that was created. */
export interface CreateResult {
  /** The path that was created: with its sequence number, if it has one. */
  readonly path: string
  readonly stat: Stat
}

/** What a znode holds. */
export interface DataResult {
  /** Null and empty are different values. A copy: it is the caller's. */
  readonly data: Buffer | null
  readonly stat: Stat
}

/** What lies below a znode. */
export interface ChildrenResult {
  /** Names, not paths, in no particular order. */
  readonly children: readonly string[]
  readonly stat: Stat
}

/** Who may do what with a znode. */
export interface AclResult {
  readonly acl: readonly ACL[]
  readonly stat: Stat
}
