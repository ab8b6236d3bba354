/**
 * zoowire: a ZooKeeper client for Node.js.
 *
 * @module
 */
import { ZooKeeper } from './client/client.ts'
import { type ConnectOptions } from './client/options.ts'
import { nodeRuntime } from './node/runtime.ts'

/**
 * Connects to a ZooKeeper ensemble and resolves with a client that has a session.
 *
 * @param connectString `host[:port][,host[:port]…][/chroot]`, with the default port 2181; IPv6
 * addresses in brackets; optionally after `zk://`.
 * @throws {ZooKeeperError} `BAD_CONNECT_STRING` or `BAD_ARGUMENTS` for bad arguments; `TIMEOUT` if there
 * is no session within `connectTimeout`, with the last failure as `cause`; `ABORTED` by the signal;
 * `AUTH_FAILED` if the servers reject an identity. Nothing is left running then.
 *
 * @example
 * const zk = await connect('zk1:2181,zk2:2181,zk3:2181/app')
 * try {
 *   console.log(await zk.getChildren('/'))
 * } finally {
 *   await zk.close()
 * }
 */
export function connect(connectString: string, options: ConnectOptions = {}): Promise<ZooKeeper> {
  return ZooKeeper.connect(nodeRuntime(options.lookup), connectString, options)
}

export {
  ANYONE_ID_UNSAFE,
  AUTH_IDS,
  CREATOR_ALL_ACL,
  digestId,
  OPEN_ACL_UNSAFE,
  READ_ACL_UNSAFE,
} from './client/acl.ts'
export {
  type AclResult,
  type ChildrenResult,
  type CreateResult,
  type DataResult,
  type SessionInfo,
  type VersionOption,
  type WatchOption,
  ZooKeeper,
} from './client/client.ts'
export { type Auth, type CallOptions, type ConnectOptions, type Logger } from './client/options.ts'
export { type CreateOptions, type Data } from './client/requests.ts'
export { type State, type StateChange } from './client/states.ts'
export {
  Transaction,
  type TransactionCreateResult,
  TransactionError,
} from './client/transaction.ts'
export { Watch } from './client/watch.ts'
export { type CreateMode, Perms } from './protocol/constants.ts'
export { type ErrorCode } from './protocol/error-codes.ts'
export { isZooKeeperError, type Outcome, ProtocolError, ZooKeeperError } from './protocol/errors.ts'
export { type ACL, type Id, Stat } from './protocol/records.ts'
export { type WatchEvent, type WatchEventType } from './session/watches.ts'
