/** Access control lists, under the names of Java's `ZooDefs.Ids`. */
import { createHash } from 'node:crypto'
import { Perms } from '../protocol/constants.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type ACL, type Id } from '../protocol/records.ts'

/** Anyone. */
export const ANYONE_ID_UNSAFE: Id = { scheme: 'world', id: 'anyone' }

/** Whoever creates the znode, by all identities of the connection. */
export const AUTH_IDS: Id = { scheme: 'auth', id: '' }

/** Everything to everyone: ZooKeeper's habit, and fit for trusted networks only. */
export const OPEN_ACL_UNSAFE: readonly ACL[] = [{ perms: Perms.ALL, id: ANYONE_ID_UNSAFE }]

/** Everything to the creator, who must have authenticated; else `INVALID_ACL`. */
export const CREATOR_ALL_ACL: readonly ACL[] = [{ perms: Perms.ALL, id: AUTH_IDS }]

/** Reading to everyone. */
export const READ_ACL_UNSAFE: readonly ACL[] = [{ perms: Perms.READ, id: ANYONE_ID_UNSAFE }]

/**
 * The identity that `digest` authentication with this user and password gives, as it stands in an
 * ACL: `user:base64(sha1(user:password))`.
 *
 * @example
 * await zk.setACL('/mine', [{ perms: Perms.ALL, id: digestId('bob', 'secret') }])
 * @throws {ZooKeeperError} `BAD_ARGUMENTS` if the user is empty or has a colon.
 */
export function digestId(user: string, password: string): Id {
  if (user === '' || user.includes(':')) {
    throw new ZooKeeperError('BAD_ARGUMENTS', { detail: 'a user name is not empty and has no ":"' })
  }
  const digest = createHash('sha1').update(`${user}:${password}`).digest('base64')
  return { scheme: 'digest', id: `${user}:${digest}` }
}
