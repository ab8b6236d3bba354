/**
 * Every error code a ZooKeeper server may answer, and the reasons for which this client itself gives
 * up. One table: the number on the wire (`errno`, null for the client's own reasons), whether asking
 * again may help, and what it means.
 *
 * Numbers and meanings follow Apache ZooKeeper's `KeeperException.Code`.
 */
interface CodeFacts {
  readonly errno: number | null
  /** Whether the same call may succeed later without the caller changing anything. */
  readonly retriable: boolean
  readonly meaning: string
}

export const errorCodes = {
  // Answered by a server.
  SYSTEM_ERROR: fact(-1, false, 'system error'),
  RUNTIME_INCONSISTENCY: fact(-2, false, 'not evaluated, because an earlier operation failed'),
  DATA_INCONSISTENCY: fact(-3, false, 'data inconsistency'),
  CONNECTION_LOSS: fact(-4, true, 'the connection was lost'),
  MARSHALLING_ERROR: fact(-5, false, 'the server could not decode the request'),
  UNIMPLEMENTED: fact(-6, false, 'the server does not implement this operation'),
  OPERATION_TIMEOUT: fact(-7, true, 'the operation timed out'),
  BAD_ARGUMENTS: fact(-8, false, 'invalid arguments'),
  UNKNOWN_SESSION: fact(-12, false, 'the session is unknown to the server'),
  NEW_CONFIG_NO_QUORUM: fact(-13, true, 'no quorum of the new configuration is connected'),
  RECONFIG_IN_PROGRESS: fact(-14, true, 'another reconfiguration is in progress'),
  API_ERROR: fact(-100, false, 'API error'),
  NO_NODE: fact(-101, false, 'the znode does not exist'),
  NO_AUTH: fact(-102, false, 'the ACL does not permit it'),
  BAD_VERSION: fact(-103, false, 'the version does not match'),
  NO_CHILDREN_FOR_EPHEMERALS: fact(-108, false, 'ephemeral znodes cannot have children'),
  NODE_EXISTS: fact(-110, false, 'the znode exists already'),
  NOT_EMPTY: fact(-111, false, 'the znode has children'),
  SESSION_EXPIRED: fact(-112, false, 'the session has expired'),
  INVALID_CALLBACK: fact(-113, false, 'invalid callback'),
  INVALID_ACL: fact(-114, false, 'the ACL is invalid'),
  AUTH_FAILED: fact(-115, false, 'authentication failed'),
  CLOSING: fact(-116, false, 'the session is closing'),
  NOTHING: fact(-117, false, 'no response to process'),
  SESSION_MOVED: fact(-118, true, 'the session has moved to another server'),
  NOT_READ_ONLY: fact(-119, true, 'the server is read-only'),
  EPHEMERAL_ON_LOCAL_SESSION: fact(-120, false, 'a local session cannot own ephemeral znodes'),
  NO_WATCHER: fact(-121, false, 'there is no such watch'),
  REQUEST_TIMEOUT: fact(-122, true, 'the request timed out'),
  RECONFIG_DISABLED: fact(-123, false, 'reconfiguration is disabled'),
  SESSION_CLOSED_REQUIRE_SASL_AUTH: fact(-124, false, 'the server requires authentication'),
  QUOTA_EXCEEDED: fact(-125, false, 'the quota is exceeded'),
  THROTTLED_OP: fact(-127, true, 'the server throttled the operation without executing it'),
  /** A number this table does not know; `errno` keeps it. */
  UNKNOWN_ERROR: fact(null, false, 'the server answered an unknown error code'),

  // This client's own.
  ABORTED: fact(null, false, 'the call was aborted by its signal'),
  TIMEOUT: fact(null, true, 'the call was not answered in time'),
  CLOSED: fact(null, false, 'the client is closed'),
  PROTOCOL_ERROR: fact(null, false, 'the peer does not speak the ZooKeeper protocol'),
  QUEUE_FULL: fact(null, true, 'too many bytes are waiting to be sent'),
  REQUEST_TOO_LARGE: fact(null, false, 'the request is larger than a server would accept'),
  REPLY_TOO_LARGE: fact(null, false, 'the reply is larger than this client accepts'),
  BAD_CONNECT_STRING: fact(null, false, 'the connect string cannot be understood'),
  TLS_FAILED: fact(null, false, 'no TLS connection could be made'),
  NOT_ALLOWED: fact(null, false, 'the server is configured not to answer this word'),
  NOT_SERVING: fact(null, true, 'the server does not serve at present'),
  LEASE_LOST: fact(null, false, 'the lease is not held any more'),
  NOT_SUPPORTED: fact(null, false, 'not supported yet'),
} as const

/** The stable name of an error, such as `'NO_NODE'`. */
export type ErrorCode = keyof typeof errorCodes

const codeByErrno: ReadonlyMap<number, ErrorCode> = new Map(
  Object.entries(errorCodes).flatMap(([code, { errno }]) =>
    errno === null ? [] : [[errno, code as ErrorCode] as const],
  ),
)

/** The name of a number answered by a server; `UNKNOWN_ERROR` for one that no table knows. */
export function errorCodeOf(errno: number): ErrorCode {
  return codeByErrno.get(errno) ?? 'UNKNOWN_ERROR'
}

function fact<const N extends number | null>(errno: N, retriable: boolean, meaning: string) {
  return { errno, retriable, meaning } satisfies CodeFacts
}
