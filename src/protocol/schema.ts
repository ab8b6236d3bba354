/**
 * Every record of ZooKeeper 3.9, field by field. This is the only place where a field is named, and
 * the order is the wire's. `scripts/generate-records.ts` prints `records.ts` from it.
 *
 * Source: `zookeeper-jute/src/main/resources/zookeeper.jute` of Apache ZooKeeper 3.9, plus what the
 * file does not say: which strings may be null, and which longs are times. `ConnectRequest` and
 * `ConnectResponse` are followed by an optional byte, see `handshake.ts`.
 *
 * Kinds: `int` 4 bytes; `long` 8 bytes, a bigint, for session ids and zxids that use all 64 bits;
 * `millis` 8 bytes, a number, for times and durations; `bool` 1 byte; `ustring` and `buffer` with a
 * length of 4 bytes in front, where -1 stands for null; `vector` with a count in front; and records.
 */

export type Scalar = 'int' | 'long' | 'millis' | 'bool' | 'ustring' | 'nullableUstring' | 'buffer'

export type Kind = Scalar | { readonly vector: string } | { readonly record: string }

export interface Field {
  readonly kind: Kind
  readonly doc: string | undefined
}

export interface RecordSchema {
  readonly doc: string
  /** A class with `toJSON`, for the record that users print and store; else an interface. */
  readonly isClass: boolean
  readonly fields: Readonly<Record<string, Field>>
}

const field = (kind: Kind) => (doc?: string) => ({ kind, doc }) satisfies Field

const int = field('int')
const long = field('long')
const millis = field('millis')
const bool = field('bool')
const ustring = field('ustring')
const nullableUstring = field('nullableUstring')
const buffer = field('buffer')
const vector = (item: string, doc?: string): Field => ({ kind: { vector: item }, doc })
const nested = (record: string, doc?: string): Field => ({ kind: { record }, doc })

const record = (doc: string, fields: Record<string, Field>): RecordSchema => {
  return { doc, isClass: false, fields }
}
const classRecord = (doc: string, fields: Record<string, Field>): RecordSchema => {
  return { doc, isClass: true, fields }
}

const path = ustring()
const data = buffer('null and empty are different values')
const acl = vector('ACL')
const stat = nested('Stat')

const persistedStatFields = {
  czxid: long('zxid of the change that created the znode'),
  mzxid: long('zxid of the change that last set the data'),
  ctime: millis('when it was created: milliseconds since 1970 on the server’s clock'),
  mtime: millis('when its data was last set: milliseconds since 1970 on the server’s clock'),
  version: int('number of changes to the data; wraps'),
  cversion: int('number of changes to the set of children; wraps'),
  aversion: int('number of changes to the ACL; wraps'),
  ephemeralOwner: long('id of the session that owns an ephemeral znode; 0n for all others'),
}
const pzxid = long('zxid of the last change to the set of children')

const watchVectors = {
  relativeZxid: long('the last zxid the client saw in a reply: later changes fire at once'),
  dataWatches: vector('ustring'),
  existWatches: vector('ustring'),
  childWatches: vector('ustring'),
}

export const schema: Readonly<Record<string, RecordSchema>> = {
  // org.apache.zookeeper.data
  Id: record('Whom an ACL entry speaks of.', {
    scheme: ustring('such as `world`, `auth`, `digest`, `ip`, `x509`, `sasl`'),
    id: ustring('what the scheme understands, such as `anyone` or `user:hash`'),
  }),
  ACL: record('One entry of an access control list.', {
    perms: int('a sum of `Perms`'),
    id: nested('Id'),
  }),
  Stat: classRecord('What ZooKeeper knows about a znode besides its data.', {
    ...persistedStatFields,
    dataLength: int('bytes of data'),
    numChildren: int('number of children'),
    pzxid,
  }),
  StatPersisted: record('A Stat as servers store it.', { ...persistedStatFields, pzxid }),
  ClientInfo: record('One identity of a connection.', {
    authScheme: ustring(),
    user: ustring('the user’s name; never a password'),
  }),

  // org.apache.zookeeper.proto
  ConnectRequest: record('Opens or resumes a session.', {
    protocolVersion: int('always 0'),
    lastZxidSeen: long('a server that is behind it refuses the connection'),
    timeOut: int('the session timeout asked for, in milliseconds'),
    sessionId: long('0n for a new session'),
    passwd: buffer('16 bytes'),
  }),
  ConnectResponse: record('The session that was opened or resumed.', {
    protocolVersion: int('always 0'),
    timeOut: int('the session timeout granted, in milliseconds; 0 if the session is gone'),
    sessionId: long(),
    passwd: buffer('16 bytes'),
  }),
  SetWatches: record('Arms one-shot watches again after a reconnect.', watchVectors),
  SetWatches2: record('Arms all watches again after a reconnect.', {
    ...watchVectors,
    persistentWatches: vector('ustring'),
    persistentRecursiveWatches: vector('ustring'),
  }),
  RequestHeader: record('In front of every request but ConnectRequest.', {
    xid: int('pairs the reply with its request'),
    type: int('the opcode'),
  }),
  MultiHeader: record('In front of every part of a multi.', {
    type: int('the opcode; -1 for an error and at the end'),
    done: bool('true at the end'),
    err: int(),
  }),
  AuthPacket: record('Adds an identity to the connection.', {
    type: int('always 0'),
    scheme: ustring(),
    auth: buffer(),
  }),
  ReplyHeader: record('In front of every reply but ConnectResponse.', {
    xid: int(),
    zxid: long('the last change this server had applied'),
    err: int('0, or an error code'),
  }),
  GetDataRequest: record('', { path, watch: bool() }),
  SetDataRequest: record('', { path, data, version: int('-1 for any') }),
  ReconfigRequest: record('', {
    joiningServers: nullableUstring('`server.<id>=…` entries, comma separated'),
    leavingServers: nullableUstring('server ids, comma separated'),
    newMembers: nullableUstring('the whole new membership, in place of the other two'),
    curConfigId: long('the configuration version expected; -1n for any'),
  }),
  SetDataResponse: record('', { stat }),
  GetSASLRequest: record('', { token: buffer() }),
  SetSASLRequest: record('', { token: buffer() }),
  SetSASLResponse: record('', { token: buffer() }),
  CreateRequest: record('', { path, data, acl, flags: int('a `CreateFlags`') }),
  CreateTTLRequest: record('', {
    path,
    data,
    acl,
    flags: int('a `CreateFlags`'),
    ttl: millis('how long the znode may stay unchanged and childless'),
  }),
  DeleteRequest: record('', { path, version: int('-1 for any') }),
  GetChildrenRequest: record('', { path, watch: bool() }),
  GetAllChildrenNumberRequest: record('', { path }),
  GetStatPersistedRequest: record('', { path }),
  GetChildren2Request: record('', { path, watch: bool() }),
  CheckVersionRequest: record('', { path, version: int() }),
  GetMaxChildrenRequest: record('', { path }),
  GetMaxChildrenResponse: record('', { max: int() }),
  SetMaxChildrenRequest: record('', { path, max: int() }),
  SyncRequest: record('', { path }),
  SyncResponse: record('', { path }),
  GetACLRequest: record('', { path }),
  SetACLRequest: record('', { path, acl, version: int('the aversion expected; -1 for any') }),
  SetACLResponse: record('', { stat }),
  AddWatchRequest: record('', { path, mode: int('an `AddWatchMode`') }),
  WatcherEvent: record('A watch has fired.', {
    type: int('an `EventType`'),
    state: int('a `KeeperState`; always 3 on the wire'),
    path,
  }),
  ErrorResponse: record('', { err: int() }),
  CreateResponse: record('', { path }),
  Create2Response: record('', { path, stat }),
  ExistsRequest: record('', { path, watch: bool() }),
  ExistsResponse: record('', { stat }),
  GetDataResponse: record('', { data, stat }),
  GetChildrenResponse: record('', { children: vector('ustring') }),
  GetAllChildrenNumberResponse: record('', { totalNumber: int('of descendants') }),
  GetStatPersistedResponse: record('', { statPersisted: nested('StatPersisted') }),
  GetChildren2Response: record('', { children: vector('ustring'), stat }),
  GetACLResponse: record('', { acl, stat }),
  CheckWatchesRequest: record('', { path, type: int('a `WatcherType`') }),
  RemoveWatchesRequest: record('', { path, type: int('a `WatcherType`') }),
  GetEphemeralsRequest: record('', {
    prefixPath: nullableUstring('a plain string prefix; null for all'),
  }),
  GetEphemeralsResponse: record('', { ephemerals: vector('ustring') }),
  WhoAmIResponse: record('', { clientInfo: vector('ClientInfo') }),

  // org.apache.zookeeper.server.quorum, .persistence: between servers, and in their files
  LearnerInfo: record('', { serverid: long(), protocolVersion: int(), configVersion: long() }),
  QuorumPacket: record('', {
    type: int(),
    zxid: long(),
    data: buffer(),
    authinfo: vector('Id'),
  }),
  QuorumAuthPacket: record('', { magic: long(), status: int(), token: buffer() }),
  FileHeader: record('', { magic: int(), version: int(), dbid: long() }),

  // org.apache.zookeeper.txn: the transaction log
  TxnDigest: record('', { version: int(), treeDigest: long() }),
  TxnHeader: record('', {
    clientId: long('the session'),
    cxid: int('the xid of the request'),
    zxid: long(),
    time: millis(),
    type: int(),
  }),
  CreateTxnV0: record('', { path, data, acl, ephemeral: bool() }),
  CreateTxn: record('', { path, data, acl, ephemeral: bool(), parentCVersion: int() }),
  CreateTTLTxn: record('', { path, data, acl, parentCVersion: int(), ttl: millis() }),
  CreateContainerTxn: record('', { path, data, acl, parentCVersion: int() }),
  DeleteTxn: record('', { path }),
  SetDataTxn: record('', { path, data, version: int() }),
  CheckVersionTxn: record('', { path, version: int() }),
  SetACLTxn: record('', { path, acl, version: int() }),
  SetMaxChildrenTxn: record('', { path, max: int() }),
  CreateSessionTxn: record('', { timeOut: int() }),
  CloseSessionTxn: record('', { paths2Delete: vector('ustring') }),
  ErrorTxn: record('', { err: int() }),
  Txn: record('', { type: int(), data: buffer() }),
  MultiTxn: record('', { txns: vector('Txn') }),
}
