// GENERATED from schema.ts by scripts/generate-records.ts. Do not edit.

import { type Codec, millisAt, type Reader, setMillisAt, type Writer } from './bytes.ts'

/** Whom an ACL entry speaks of. */
export interface Id {
  /** such as `world`, `auth`, `digest`, `ip`, `x509`, `sasl` */
  readonly scheme: string
  /** what the scheme understands, such as `anyone` or `user:hash` */
  readonly id: string
}
export const Id: Codec<Id> = {
  name: 'Id',
  bytesMin: 8,
  write(writer, value) {
    writer.ustring(value.scheme)
    writer.ustring(value.id)
  },
  read(reader) {
    const scheme = reader.ustring()
    const id = reader.ustring()
    return { scheme, id }
  },
}

/** One entry of an access control list. */
export interface ACL {
  /** a sum of `Perms` */
  readonly perms: number
  readonly id: Id
}
export const ACL: Codec<ACL> = {
  name: 'ACL',
  bytesMin: 12,
  write(writer, value) {
    writer.int(value.perms)
    Id.write(writer, value.id)
  },
  read(reader) {
    const perms = reader.int()
    const id = Id.read(reader)
    return { perms, id }
  },
}

/** What ZooKeeper knows about a znode besides its data. */
export class Stat {
  /** zxid of the change that created the znode */
  readonly czxid: bigint
  /** zxid of the change that last set the data */
  readonly mzxid: bigint
  /** when it was created: milliseconds since 1970 on the server’s clock */
  readonly ctime: number
  /** when its data was last set: milliseconds since 1970 on the server’s clock */
  readonly mtime: number
  /** number of changes to the data; wraps */
  readonly version: number
  /** number of changes to the set of children; wraps */
  readonly cversion: number
  /** number of changes to the ACL; wraps */
  readonly aversion: number
  /** id of the session that owns an ephemeral znode; 0n for all others */
  readonly ephemeralOwner: bigint
  /** bytes of data */
  readonly dataLength: number
  /** number of children */
  readonly numChildren: number
  /** zxid of the last change to the set of children */
  readonly pzxid: bigint

  constructor(
    czxid: bigint,
    mzxid: bigint,
    ctime: number,
    mtime: number,
    version: number,
    cversion: number,
    aversion: number,
    ephemeralOwner: bigint,
    dataLength: number,
    numChildren: number,
    pzxid: bigint,
  ) {
    this.czxid = czxid
    this.mzxid = mzxid
    this.ctime = ctime
    this.mtime = mtime
    this.version = version
    this.cversion = cversion
    this.aversion = aversion
    this.ephemeralOwner = ephemeralOwner
    this.dataLength = dataLength
    this.numChildren = numChildren
    this.pzxid = pzxid
  }

  /** Ids and zxids as decimal strings, which JSON can carry exactly. */
  toJSON(): Record<string, string | number> {
    return {
      czxid: this.czxid.toString(),
      mzxid: this.mzxid.toString(),
      ctime: this.ctime,
      mtime: this.mtime,
      version: this.version,
      cversion: this.cversion,
      aversion: this.aversion,
      ephemeralOwner: this.ephemeralOwner.toString(),
      dataLength: this.dataLength,
      numChildren: this.numChildren,
      pzxid: this.pzxid.toString(),
    }
  }

  static readonly bytesMin = 68

  static write(writer: Writer, value: Stat): void {
    const czxidAt = writer.reserve(68)
    writer.view.setBigInt64(czxidAt, value.czxid)
    writer.view.setBigInt64(czxidAt + 8, value.mzxid)
    setMillisAt(writer.view, czxidAt + 16, value.ctime)
    setMillisAt(writer.view, czxidAt + 24, value.mtime)
    writer.view.setInt32(czxidAt + 32, value.version)
    writer.view.setInt32(czxidAt + 36, value.cversion)
    writer.view.setInt32(czxidAt + 40, value.aversion)
    writer.view.setBigInt64(czxidAt + 44, value.ephemeralOwner)
    writer.view.setInt32(czxidAt + 52, value.dataLength)
    writer.view.setInt32(czxidAt + 56, value.numChildren)
    writer.view.setBigInt64(czxidAt + 60, value.pzxid)
  }

  static read(reader: Reader): Stat {
    const czxidAt = reader.take(68)
    const czxid = reader.view.getBigInt64(czxidAt)
    const mzxid = reader.view.getBigInt64(czxidAt + 8)
    const ctime = millisAt(reader.view, czxidAt + 16)
    const mtime = millisAt(reader.view, czxidAt + 24)
    const version = reader.view.getInt32(czxidAt + 32)
    const cversion = reader.view.getInt32(czxidAt + 36)
    const aversion = reader.view.getInt32(czxidAt + 40)
    const ephemeralOwner = reader.view.getBigInt64(czxidAt + 44)
    const dataLength = reader.view.getInt32(czxidAt + 52)
    const numChildren = reader.view.getInt32(czxidAt + 56)
    const pzxid = reader.view.getBigInt64(czxidAt + 60)
    return new Stat(
      czxid,
      mzxid,
      ctime,
      mtime,
      version,
      cversion,
      aversion,
      ephemeralOwner,
      dataLength,
      numChildren,
      pzxid,
    )
  }
}
Stat satisfies Codec<Stat>

/** A Stat as servers store it. */
export interface StatPersisted {
  /** zxid of the change that created the znode */
  readonly czxid: bigint
  /** zxid of the change that last set the data */
  readonly mzxid: bigint
  /** when it was created: milliseconds since 1970 on the server’s clock */
  readonly ctime: number
  /** when its data was last set: milliseconds since 1970 on the server’s clock */
  readonly mtime: number
  /** number of changes to the data; wraps */
  readonly version: number
  /** number of changes to the set of children; wraps */
  readonly cversion: number
  /** number of changes to the ACL; wraps */
  readonly aversion: number
  /** id of the session that owns an ephemeral znode; 0n for all others */
  readonly ephemeralOwner: bigint
  /** zxid of the last change to the set of children */
  readonly pzxid: bigint
}
export const StatPersisted: Codec<StatPersisted> = {
  name: 'StatPersisted',
  bytesMin: 60,
  write(writer, value) {
    const czxidAt = writer.reserve(60)
    writer.view.setBigInt64(czxidAt, value.czxid)
    writer.view.setBigInt64(czxidAt + 8, value.mzxid)
    setMillisAt(writer.view, czxidAt + 16, value.ctime)
    setMillisAt(writer.view, czxidAt + 24, value.mtime)
    writer.view.setInt32(czxidAt + 32, value.version)
    writer.view.setInt32(czxidAt + 36, value.cversion)
    writer.view.setInt32(czxidAt + 40, value.aversion)
    writer.view.setBigInt64(czxidAt + 44, value.ephemeralOwner)
    writer.view.setBigInt64(czxidAt + 52, value.pzxid)
  },
  read(reader) {
    const czxidAt = reader.take(60)
    const czxid = reader.view.getBigInt64(czxidAt)
    const mzxid = reader.view.getBigInt64(czxidAt + 8)
    const ctime = millisAt(reader.view, czxidAt + 16)
    const mtime = millisAt(reader.view, czxidAt + 24)
    const version = reader.view.getInt32(czxidAt + 32)
    const cversion = reader.view.getInt32(czxidAt + 36)
    const aversion = reader.view.getInt32(czxidAt + 40)
    const ephemeralOwner = reader.view.getBigInt64(czxidAt + 44)
    const pzxid = reader.view.getBigInt64(czxidAt + 52)
    return { czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeralOwner, pzxid }
  },
}

/** One identity of a connection. */
export interface ClientInfo {
  readonly authScheme: string
  /** the user’s name; never a password */
  readonly user: string
}
export const ClientInfo: Codec<ClientInfo> = {
  name: 'ClientInfo',
  bytesMin: 8,
  write(writer, value) {
    writer.ustring(value.authScheme)
    writer.ustring(value.user)
  },
  read(reader) {
    const authScheme = reader.ustring()
    const user = reader.ustring()
    return { authScheme, user }
  },
}

/** Opens or resumes a session. */
export interface ConnectRequest {
  /** always 0 */
  readonly protocolVersion: number
  /** a server that is behind it refuses the connection */
  readonly lastZxidSeen: bigint
  /** the session timeout asked for, in milliseconds */
  readonly timeOut: number
  /** 0n for a new session */
  readonly sessionId: bigint
  /** 16 bytes */
  readonly passwd: Uint8Array | null
}
export const ConnectRequest: Codec<ConnectRequest> = {
  name: 'ConnectRequest',
  bytesMin: 28,
  write(writer, value) {
    const protocolVersionAt = writer.reserve(24)
    writer.view.setInt32(protocolVersionAt, value.protocolVersion)
    writer.view.setBigInt64(protocolVersionAt + 4, value.lastZxidSeen)
    writer.view.setInt32(protocolVersionAt + 12, value.timeOut)
    writer.view.setBigInt64(protocolVersionAt + 16, value.sessionId)
    writer.buffer(value.passwd)
  },
  read(reader) {
    const protocolVersionAt = reader.take(24)
    const protocolVersion = reader.view.getInt32(protocolVersionAt)
    const lastZxidSeen = reader.view.getBigInt64(protocolVersionAt + 4)
    const timeOut = reader.view.getInt32(protocolVersionAt + 12)
    const sessionId = reader.view.getBigInt64(protocolVersionAt + 16)
    const passwd = reader.buffer()
    return { protocolVersion, lastZxidSeen, timeOut, sessionId, passwd }
  },
}

/** The session that was opened or resumed. */
export interface ConnectResponse {
  /** always 0 */
  readonly protocolVersion: number
  /** the session timeout granted, in milliseconds; 0 if the session is gone */
  readonly timeOut: number
  readonly sessionId: bigint
  /** 16 bytes */
  readonly passwd: Buffer | null
}
export const ConnectResponse: Codec<ConnectResponse> = {
  name: 'ConnectResponse',
  bytesMin: 20,
  write(writer, value) {
    const protocolVersionAt = writer.reserve(16)
    writer.view.setInt32(protocolVersionAt, value.protocolVersion)
    writer.view.setInt32(protocolVersionAt + 4, value.timeOut)
    writer.view.setBigInt64(protocolVersionAt + 8, value.sessionId)
    writer.buffer(value.passwd)
  },
  read(reader) {
    const protocolVersionAt = reader.take(16)
    const protocolVersion = reader.view.getInt32(protocolVersionAt)
    const timeOut = reader.view.getInt32(protocolVersionAt + 4)
    const sessionId = reader.view.getBigInt64(protocolVersionAt + 8)
    const passwd = reader.buffer()
    return { protocolVersion, timeOut, sessionId, passwd }
  },
}

/** Arms one-shot watches again after a reconnect. */
export interface SetWatches {
  /** the last zxid the client saw in a reply: later changes fire at once */
  readonly relativeZxid: bigint
  readonly dataWatches: readonly string[]
  readonly existWatches: readonly string[]
  readonly childWatches: readonly string[]
}
export const SetWatches: Codec<SetWatches> = {
  name: 'SetWatches',
  bytesMin: 20,
  write(writer, value) {
    writer.long(value.relativeZxid)
    writer.ustringVector(value.dataWatches)
    writer.ustringVector(value.existWatches)
    writer.ustringVector(value.childWatches)
  },
  read(reader) {
    const relativeZxid = reader.long()
    const dataWatches = reader.ustringVector()
    const existWatches = reader.ustringVector()
    const childWatches = reader.ustringVector()
    return { relativeZxid, dataWatches, existWatches, childWatches }
  },
}

/** Arms all watches again after a reconnect. */
export interface SetWatches2 {
  /** the last zxid the client saw in a reply: later changes fire at once */
  readonly relativeZxid: bigint
  readonly dataWatches: readonly string[]
  readonly existWatches: readonly string[]
  readonly childWatches: readonly string[]
  readonly persistentWatches: readonly string[]
  readonly persistentRecursiveWatches: readonly string[]
}
export const SetWatches2: Codec<SetWatches2> = {
  name: 'SetWatches2',
  bytesMin: 28,
  write(writer, value) {
    writer.long(value.relativeZxid)
    writer.ustringVector(value.dataWatches)
    writer.ustringVector(value.existWatches)
    writer.ustringVector(value.childWatches)
    writer.ustringVector(value.persistentWatches)
    writer.ustringVector(value.persistentRecursiveWatches)
  },
  read(reader) {
    const relativeZxid = reader.long()
    const dataWatches = reader.ustringVector()
    const existWatches = reader.ustringVector()
    const childWatches = reader.ustringVector()
    const persistentWatches = reader.ustringVector()
    const persistentRecursiveWatches = reader.ustringVector()
    return {
      relativeZxid,
      dataWatches,
      existWatches,
      childWatches,
      persistentWatches,
      persistentRecursiveWatches,
    }
  },
}

/** In front of every request but ConnectRequest. */
export interface RequestHeader {
  /** pairs the reply with its request */
  readonly xid: number
  /** the opcode */
  readonly type: number
}
export const RequestHeader: Codec<RequestHeader> = {
  name: 'RequestHeader',
  bytesMin: 8,
  write(writer, value) {
    const xidAt = writer.reserve(8)
    writer.view.setInt32(xidAt, value.xid)
    writer.view.setInt32(xidAt + 4, value.type)
  },
  read(reader) {
    const xidAt = reader.take(8)
    const xid = reader.view.getInt32(xidAt)
    const type = reader.view.getInt32(xidAt + 4)
    return { xid, type }
  },
}

/** In front of every part of a multi. */
export interface MultiHeader {
  /** the opcode; -1 for an error and at the end */
  readonly type: number
  /** true at the end */
  readonly done: boolean
  readonly err: number
}
export const MultiHeader: Codec<MultiHeader> = {
  name: 'MultiHeader',
  bytesMin: 9,
  write(writer, value) {
    const typeAt = writer.reserve(9)
    writer.view.setInt32(typeAt, value.type)
    writer.view.setUint8(typeAt + 4, value.done ? 1 : 0)
    writer.view.setInt32(typeAt + 5, value.err)
  },
  read(reader) {
    const typeAt = reader.take(9)
    const type = reader.view.getInt32(typeAt)
    const done = reader.view.getUint8(typeAt + 4) !== 0
    const err = reader.view.getInt32(typeAt + 5)
    return { type, done, err }
  },
}

/** Adds an identity to the connection. */
export interface AuthPacket {
  /** always 0 */
  readonly type: number
  readonly scheme: string
  readonly auth: Uint8Array | null
}
export const AuthPacket: Codec<AuthPacket> = {
  name: 'AuthPacket',
  bytesMin: 12,
  write(writer, value) {
    writer.int(value.type)
    writer.ustring(value.scheme)
    writer.buffer(value.auth)
  },
  read(reader) {
    const type = reader.int()
    const scheme = reader.ustring()
    const auth = reader.buffer()
    return { type, scheme, auth }
  },
}

/** In front of every reply but ConnectResponse. */
export interface ReplyHeader {
  readonly xid: number
  /** the last change this server had applied */
  readonly zxid: bigint
  /** 0, or an error code */
  readonly err: number
}
export const ReplyHeader: Codec<ReplyHeader> = {
  name: 'ReplyHeader',
  bytesMin: 16,
  write(writer, value) {
    const xidAt = writer.reserve(16)
    writer.view.setInt32(xidAt, value.xid)
    writer.view.setBigInt64(xidAt + 4, value.zxid)
    writer.view.setInt32(xidAt + 12, value.err)
  },
  read(reader) {
    const xidAt = reader.take(16)
    const xid = reader.view.getInt32(xidAt)
    const zxid = reader.view.getBigInt64(xidAt + 4)
    const err = reader.view.getInt32(xidAt + 12)
    return { xid, zxid, err }
  },
}

export interface GetDataRequest {
  readonly path: string
  readonly watch: boolean
}
export const GetDataRequest: Codec<GetDataRequest> = {
  name: 'GetDataRequest',
  bytesMin: 5,
  write(writer, value) {
    writer.ustring(value.path)
    writer.bool(value.watch)
  },
  read(reader) {
    const path = reader.ustring()
    const watch = reader.bool()
    return { path, watch }
  },
}

export interface SetDataRequest {
  readonly path: string
  /** null and empty are different values */
  readonly data: Uint8Array | null
  /** -1 for any */
  readonly version: number
}
export const SetDataRequest: Codec<SetDataRequest> = {
  name: 'SetDataRequest',
  bytesMin: 12,
  write(writer, value) {
    writer.ustring(value.path)
    writer.buffer(value.data)
    writer.int(value.version)
  },
  read(reader) {
    const path = reader.ustring()
    const data = reader.buffer()
    const version = reader.int()
    return { path, data, version }
  },
}

export interface ReconfigRequest {
  /** `server.<id>=…` entries, comma separated */
  readonly joiningServers: string | null
  /** server ids, comma separated */
  readonly leavingServers: string | null
  /** the whole new membership, in place of the other two */
  readonly newMembers: string | null
  /** the configuration version expected; -1n for any */
  readonly curConfigId: bigint
}
export const ReconfigRequest: Codec<ReconfigRequest> = {
  name: 'ReconfigRequest',
  bytesMin: 20,
  write(writer, value) {
    writer.nullableUstring(value.joiningServers)
    writer.nullableUstring(value.leavingServers)
    writer.nullableUstring(value.newMembers)
    writer.long(value.curConfigId)
  },
  read(reader) {
    const joiningServers = reader.nullableUstring()
    const leavingServers = reader.nullableUstring()
    const newMembers = reader.nullableUstring()
    const curConfigId = reader.long()
    return { joiningServers, leavingServers, newMembers, curConfigId }
  },
}

export interface SetDataResponse {
  readonly stat: Stat
}
export const SetDataResponse: Codec<SetDataResponse> = {
  name: 'SetDataResponse',
  bytesMin: 68,
  write(writer, value) {
    Stat.write(writer, value.stat)
  },
  read(reader) {
    const stat = Stat.read(reader)
    return { stat }
  },
}

export interface GetSASLRequest {
  readonly token: Uint8Array | null
}
export const GetSASLRequest: Codec<GetSASLRequest> = {
  name: 'GetSASLRequest',
  bytesMin: 4,
  write(writer, value) {
    writer.buffer(value.token)
  },
  read(reader) {
    const token = reader.buffer()
    return { token }
  },
}

export interface SetSASLRequest {
  readonly token: Uint8Array | null
}
export const SetSASLRequest: Codec<SetSASLRequest> = {
  name: 'SetSASLRequest',
  bytesMin: 4,
  write(writer, value) {
    writer.buffer(value.token)
  },
  read(reader) {
    const token = reader.buffer()
    return { token }
  },
}

export interface SetSASLResponse {
  readonly token: Buffer | null
}
export const SetSASLResponse: Codec<SetSASLResponse> = {
  name: 'SetSASLResponse',
  bytesMin: 4,
  write(writer, value) {
    writer.buffer(value.token)
  },
  read(reader) {
    const token = reader.buffer()
    return { token }
  },
}

export interface CreateRequest {
  readonly path: string
  /** null and empty are different values */
  readonly data: Uint8Array | null
  readonly acl: readonly ACL[]
  /** a `CreateFlags` */
  readonly flags: number
}
export const CreateRequest: Codec<CreateRequest> = {
  name: 'CreateRequest',
  bytesMin: 16,
  write(writer, value) {
    writer.ustring(value.path)
    writer.buffer(value.data)
    writer.vector(value.acl, ACL)
    writer.int(value.flags)
  },
  read(reader) {
    const path = reader.ustring()
    const data = reader.buffer()
    const acl = reader.vector(ACL)
    const flags = reader.int()
    return { path, data, acl, flags }
  },
}

export interface CreateTTLRequest {
  readonly path: string
  /** null and empty are different values */
  readonly data: Uint8Array | null
  readonly acl: readonly ACL[]
  /** a `CreateFlags` */
  readonly flags: number
  /** how long the znode may stay unchanged and childless */
  readonly ttl: number
}
export const CreateTTLRequest: Codec<CreateTTLRequest> = {
  name: 'CreateTTLRequest',
  bytesMin: 24,
  write(writer, value) {
    writer.ustring(value.path)
    writer.buffer(value.data)
    writer.vector(value.acl, ACL)
    const flagsAt = writer.reserve(12)
    writer.view.setInt32(flagsAt, value.flags)
    setMillisAt(writer.view, flagsAt + 4, value.ttl)
  },
  read(reader) {
    const path = reader.ustring()
    const data = reader.buffer()
    const acl = reader.vector(ACL)
    const flagsAt = reader.take(12)
    const flags = reader.view.getInt32(flagsAt)
    const ttl = millisAt(reader.view, flagsAt + 4)
    return { path, data, acl, flags, ttl }
  },
}

export interface DeleteRequest {
  readonly path: string
  /** -1 for any */
  readonly version: number
}
export const DeleteRequest: Codec<DeleteRequest> = {
  name: 'DeleteRequest',
  bytesMin: 8,
  write(writer, value) {
    writer.ustring(value.path)
    writer.int(value.version)
  },
  read(reader) {
    const path = reader.ustring()
    const version = reader.int()
    return { path, version }
  },
}

export interface GetChildrenRequest {
  readonly path: string
  readonly watch: boolean
}
export const GetChildrenRequest: Codec<GetChildrenRequest> = {
  name: 'GetChildrenRequest',
  bytesMin: 5,
  write(writer, value) {
    writer.ustring(value.path)
    writer.bool(value.watch)
  },
  read(reader) {
    const path = reader.ustring()
    const watch = reader.bool()
    return { path, watch }
  },
}

export interface GetAllChildrenNumberRequest {
  readonly path: string
}
export const GetAllChildrenNumberRequest: Codec<GetAllChildrenNumberRequest> = {
  name: 'GetAllChildrenNumberRequest',
  bytesMin: 4,
  write(writer, value) {
    writer.ustring(value.path)
  },
  read(reader) {
    const path = reader.ustring()
    return { path }
  },
}

export interface GetStatPersistedRequest {
  readonly path: string
}
export const GetStatPersistedRequest: Codec<GetStatPersistedRequest> = {
  name: 'GetStatPersistedRequest',
  bytesMin: 4,
  write(writer, value) {
    writer.ustring(value.path)
  },
  read(reader) {
    const path = reader.ustring()
    return { path }
  },
}

export interface GetChildren2Request {
  readonly path: string
  readonly watch: boolean
}
export const GetChildren2Request: Codec<GetChildren2Request> = {
  name: 'GetChildren2Request',
  bytesMin: 5,
  write(writer, value) {
    writer.ustring(value.path)
    writer.bool(value.watch)
  },
  read(reader) {
    const path = reader.ustring()
    const watch = reader.bool()
    return { path, watch }
  },
}

export interface CheckVersionRequest {
  readonly path: string
  readonly version: number
}
export const CheckVersionRequest: Codec<CheckVersionRequest> = {
  name: 'CheckVersionRequest',
  bytesMin: 8,
  write(writer, value) {
    writer.ustring(value.path)
    writer.int(value.version)
  },
  read(reader) {
    const path = reader.ustring()
    const version = reader.int()
    return { path, version }
  },
}

export interface GetMaxChildrenRequest {
  readonly path: string
}
export const GetMaxChildrenRequest: Codec<GetMaxChildrenRequest> = {
  name: 'GetMaxChildrenRequest',
  bytesMin: 4,
  write(writer, value) {
    writer.ustring(value.path)
  },
  read(reader) {
    const path = reader.ustring()
    return { path }
  },
}

export interface GetMaxChildrenResponse {
  readonly max: number
}
export const GetMaxChildrenResponse: Codec<GetMaxChildrenResponse> = {
  name: 'GetMaxChildrenResponse',
  bytesMin: 4,
  write(writer, value) {
    writer.int(value.max)
  },
  read(reader) {
    const max = reader.int()
    return { max }
  },
}

export interface SetMaxChildrenRequest {
  readonly path: string
  readonly max: number
}
export const SetMaxChildrenRequest: Codec<SetMaxChildrenRequest> = {
  name: 'SetMaxChildrenRequest',
  bytesMin: 8,
  write(writer, value) {
    writer.ustring(value.path)
    writer.int(value.max)
  },
  read(reader) {
    const path = reader.ustring()
    const max = reader.int()
    return { path, max }
  },
}

export interface SyncRequest {
  readonly path: string
}
export const SyncRequest: Codec<SyncRequest> = {
  name: 'SyncRequest',
  bytesMin: 4,
  write(writer, value) {
    writer.ustring(value.path)
  },
  read(reader) {
    const path = reader.ustring()
    return { path }
  },
}

export interface SyncResponse {
  readonly path: string
}
export const SyncResponse: Codec<SyncResponse> = {
  name: 'SyncResponse',
  bytesMin: 4,
  write(writer, value) {
    writer.ustring(value.path)
  },
  read(reader) {
    const path = reader.ustring()
    return { path }
  },
}

export interface GetACLRequest {
  readonly path: string
}
export const GetACLRequest: Codec<GetACLRequest> = {
  name: 'GetACLRequest',
  bytesMin: 4,
  write(writer, value) {
    writer.ustring(value.path)
  },
  read(reader) {
    const path = reader.ustring()
    return { path }
  },
}

export interface SetACLRequest {
  readonly path: string
  readonly acl: readonly ACL[]
  /** the aversion expected; -1 for any */
  readonly version: number
}
export const SetACLRequest: Codec<SetACLRequest> = {
  name: 'SetACLRequest',
  bytesMin: 12,
  write(writer, value) {
    writer.ustring(value.path)
    writer.vector(value.acl, ACL)
    writer.int(value.version)
  },
  read(reader) {
    const path = reader.ustring()
    const acl = reader.vector(ACL)
    const version = reader.int()
    return { path, acl, version }
  },
}

export interface SetACLResponse {
  readonly stat: Stat
}
export const SetACLResponse: Codec<SetACLResponse> = {
  name: 'SetACLResponse',
  bytesMin: 68,
  write(writer, value) {
    Stat.write(writer, value.stat)
  },
  read(reader) {
    const stat = Stat.read(reader)
    return { stat }
  },
}

export interface AddWatchRequest {
  readonly path: string
  /** an `AddWatchMode` */
  readonly mode: number
}
export const AddWatchRequest: Codec<AddWatchRequest> = {
  name: 'AddWatchRequest',
  bytesMin: 8,
  write(writer, value) {
    writer.ustring(value.path)
    writer.int(value.mode)
  },
  read(reader) {
    const path = reader.ustring()
    const mode = reader.int()
    return { path, mode }
  },
}

/** A watch has fired. */
export interface WatcherEvent {
  /** an `EventType` */
  readonly type: number
  /** a `KeeperState`; always 3 on the wire */
  readonly state: number
  readonly path: string
}
export const WatcherEvent: Codec<WatcherEvent> = {
  name: 'WatcherEvent',
  bytesMin: 12,
  write(writer, value) {
    const typeAt = writer.reserve(8)
    writer.view.setInt32(typeAt, value.type)
    writer.view.setInt32(typeAt + 4, value.state)
    writer.ustring(value.path)
  },
  read(reader) {
    const typeAt = reader.take(8)
    const type = reader.view.getInt32(typeAt)
    const state = reader.view.getInt32(typeAt + 4)
    const path = reader.ustring()
    return { type, state, path }
  },
}

export interface ErrorResponse {
  readonly err: number
}
export const ErrorResponse: Codec<ErrorResponse> = {
  name: 'ErrorResponse',
  bytesMin: 4,
  write(writer, value) {
    writer.int(value.err)
  },
  read(reader) {
    const err = reader.int()
    return { err }
  },
}

export interface CreateResponse {
  readonly path: string
}
export const CreateResponse: Codec<CreateResponse> = {
  name: 'CreateResponse',
  bytesMin: 4,
  write(writer, value) {
    writer.ustring(value.path)
  },
  read(reader) {
    const path = reader.ustring()
    return { path }
  },
}

export interface Create2Response {
  readonly path: string
  readonly stat: Stat
}
export const Create2Response: Codec<Create2Response> = {
  name: 'Create2Response',
  bytesMin: 72,
  write(writer, value) {
    writer.ustring(value.path)
    Stat.write(writer, value.stat)
  },
  read(reader) {
    const path = reader.ustring()
    const stat = Stat.read(reader)
    return { path, stat }
  },
}

export interface ExistsRequest {
  readonly path: string
  readonly watch: boolean
}
export const ExistsRequest: Codec<ExistsRequest> = {
  name: 'ExistsRequest',
  bytesMin: 5,
  write(writer, value) {
    writer.ustring(value.path)
    writer.bool(value.watch)
  },
  read(reader) {
    const path = reader.ustring()
    const watch = reader.bool()
    return { path, watch }
  },
}

export interface ExistsResponse {
  readonly stat: Stat
}
export const ExistsResponse: Codec<ExistsResponse> = {
  name: 'ExistsResponse',
  bytesMin: 68,
  write(writer, value) {
    Stat.write(writer, value.stat)
  },
  read(reader) {
    const stat = Stat.read(reader)
    return { stat }
  },
}

export interface GetDataResponse {
  /** null and empty are different values */
  readonly data: Buffer | null
  readonly stat: Stat
}
export const GetDataResponse: Codec<GetDataResponse> = {
  name: 'GetDataResponse',
  bytesMin: 72,
  write(writer, value) {
    writer.buffer(value.data)
    Stat.write(writer, value.stat)
  },
  read(reader) {
    const data = reader.buffer()
    const stat = Stat.read(reader)
    return { data, stat }
  },
}

export interface GetChildrenResponse {
  readonly children: readonly string[]
}
export const GetChildrenResponse: Codec<GetChildrenResponse> = {
  name: 'GetChildrenResponse',
  bytesMin: 4,
  write(writer, value) {
    writer.ustringVector(value.children)
  },
  read(reader) {
    const children = reader.ustringVector()
    return { children }
  },
}

export interface GetAllChildrenNumberResponse {
  /** of descendants */
  readonly totalNumber: number
}
export const GetAllChildrenNumberResponse: Codec<GetAllChildrenNumberResponse> = {
  name: 'GetAllChildrenNumberResponse',
  bytesMin: 4,
  write(writer, value) {
    writer.int(value.totalNumber)
  },
  read(reader) {
    const totalNumber = reader.int()
    return { totalNumber }
  },
}

export interface GetStatPersistedResponse {
  readonly statPersisted: StatPersisted
}
export const GetStatPersistedResponse: Codec<GetStatPersistedResponse> = {
  name: 'GetStatPersistedResponse',
  bytesMin: 60,
  write(writer, value) {
    StatPersisted.write(writer, value.statPersisted)
  },
  read(reader) {
    const statPersisted = StatPersisted.read(reader)
    return { statPersisted }
  },
}

export interface GetChildren2Response {
  readonly children: readonly string[]
  readonly stat: Stat
}
export const GetChildren2Response: Codec<GetChildren2Response> = {
  name: 'GetChildren2Response',
  bytesMin: 72,
  write(writer, value) {
    writer.ustringVector(value.children)
    Stat.write(writer, value.stat)
  },
  read(reader) {
    const children = reader.ustringVector()
    const stat = Stat.read(reader)
    return { children, stat }
  },
}

export interface GetACLResponse {
  readonly acl: readonly ACL[]
  readonly stat: Stat
}
export const GetACLResponse: Codec<GetACLResponse> = {
  name: 'GetACLResponse',
  bytesMin: 72,
  write(writer, value) {
    writer.vector(value.acl, ACL)
    Stat.write(writer, value.stat)
  },
  read(reader) {
    const acl = reader.vector(ACL)
    const stat = Stat.read(reader)
    return { acl, stat }
  },
}

export interface CheckWatchesRequest {
  readonly path: string
  /** a `WatcherType` */
  readonly type: number
}
export const CheckWatchesRequest: Codec<CheckWatchesRequest> = {
  name: 'CheckWatchesRequest',
  bytesMin: 8,
  write(writer, value) {
    writer.ustring(value.path)
    writer.int(value.type)
  },
  read(reader) {
    const path = reader.ustring()
    const type = reader.int()
    return { path, type }
  },
}

export interface RemoveWatchesRequest {
  readonly path: string
  /** a `WatcherType` */
  readonly type: number
}
export const RemoveWatchesRequest: Codec<RemoveWatchesRequest> = {
  name: 'RemoveWatchesRequest',
  bytesMin: 8,
  write(writer, value) {
    writer.ustring(value.path)
    writer.int(value.type)
  },
  read(reader) {
    const path = reader.ustring()
    const type = reader.int()
    return { path, type }
  },
}

export interface GetEphemeralsRequest {
  /** a plain string prefix; null for all */
  readonly prefixPath: string | null
}
export const GetEphemeralsRequest: Codec<GetEphemeralsRequest> = {
  name: 'GetEphemeralsRequest',
  bytesMin: 4,
  write(writer, value) {
    writer.nullableUstring(value.prefixPath)
  },
  read(reader) {
    const prefixPath = reader.nullableUstring()
    return { prefixPath }
  },
}

export interface GetEphemeralsResponse {
  readonly ephemerals: readonly string[]
}
export const GetEphemeralsResponse: Codec<GetEphemeralsResponse> = {
  name: 'GetEphemeralsResponse',
  bytesMin: 4,
  write(writer, value) {
    writer.ustringVector(value.ephemerals)
  },
  read(reader) {
    const ephemerals = reader.ustringVector()
    return { ephemerals }
  },
}

export interface WhoAmIResponse {
  readonly clientInfo: readonly ClientInfo[]
}
export const WhoAmIResponse: Codec<WhoAmIResponse> = {
  name: 'WhoAmIResponse',
  bytesMin: 4,
  write(writer, value) {
    writer.vector(value.clientInfo, ClientInfo)
  },
  read(reader) {
    const clientInfo = reader.vector(ClientInfo)
    return { clientInfo }
  },
}

export interface LearnerInfo {
  readonly serverid: bigint
  readonly protocolVersion: number
  readonly configVersion: bigint
}
export const LearnerInfo: Codec<LearnerInfo> = {
  name: 'LearnerInfo',
  bytesMin: 20,
  write(writer, value) {
    const serveridAt = writer.reserve(20)
    writer.view.setBigInt64(serveridAt, value.serverid)
    writer.view.setInt32(serveridAt + 8, value.protocolVersion)
    writer.view.setBigInt64(serveridAt + 12, value.configVersion)
  },
  read(reader) {
    const serveridAt = reader.take(20)
    const serverid = reader.view.getBigInt64(serveridAt)
    const protocolVersion = reader.view.getInt32(serveridAt + 8)
    const configVersion = reader.view.getBigInt64(serveridAt + 12)
    return { serverid, protocolVersion, configVersion }
  },
}

export interface QuorumPacket {
  readonly type: number
  readonly zxid: bigint
  readonly data: Uint8Array | null
  readonly authinfo: readonly Id[]
}
export const QuorumPacket: Codec<QuorumPacket> = {
  name: 'QuorumPacket',
  bytesMin: 20,
  write(writer, value) {
    const typeAt = writer.reserve(12)
    writer.view.setInt32(typeAt, value.type)
    writer.view.setBigInt64(typeAt + 4, value.zxid)
    writer.buffer(value.data)
    writer.vector(value.authinfo, Id)
  },
  read(reader) {
    const typeAt = reader.take(12)
    const type = reader.view.getInt32(typeAt)
    const zxid = reader.view.getBigInt64(typeAt + 4)
    const data = reader.buffer()
    const authinfo = reader.vector(Id)
    return { type, zxid, data, authinfo }
  },
}

export interface QuorumAuthPacket {
  readonly magic: bigint
  readonly status: number
  readonly token: Uint8Array | null
}
export const QuorumAuthPacket: Codec<QuorumAuthPacket> = {
  name: 'QuorumAuthPacket',
  bytesMin: 16,
  write(writer, value) {
    const magicAt = writer.reserve(12)
    writer.view.setBigInt64(magicAt, value.magic)
    writer.view.setInt32(magicAt + 8, value.status)
    writer.buffer(value.token)
  },
  read(reader) {
    const magicAt = reader.take(12)
    const magic = reader.view.getBigInt64(magicAt)
    const status = reader.view.getInt32(magicAt + 8)
    const token = reader.buffer()
    return { magic, status, token }
  },
}

export interface FileHeader {
  readonly magic: number
  readonly version: number
  readonly dbid: bigint
}
export const FileHeader: Codec<FileHeader> = {
  name: 'FileHeader',
  bytesMin: 16,
  write(writer, value) {
    const magicAt = writer.reserve(16)
    writer.view.setInt32(magicAt, value.magic)
    writer.view.setInt32(magicAt + 4, value.version)
    writer.view.setBigInt64(magicAt + 8, value.dbid)
  },
  read(reader) {
    const magicAt = reader.take(16)
    const magic = reader.view.getInt32(magicAt)
    const version = reader.view.getInt32(magicAt + 4)
    const dbid = reader.view.getBigInt64(magicAt + 8)
    return { magic, version, dbid }
  },
}

export interface TxnDigest {
  readonly version: number
  readonly treeDigest: bigint
}
export const TxnDigest: Codec<TxnDigest> = {
  name: 'TxnDigest',
  bytesMin: 12,
  write(writer, value) {
    const versionAt = writer.reserve(12)
    writer.view.setInt32(versionAt, value.version)
    writer.view.setBigInt64(versionAt + 4, value.treeDigest)
  },
  read(reader) {
    const versionAt = reader.take(12)
    const version = reader.view.getInt32(versionAt)
    const treeDigest = reader.view.getBigInt64(versionAt + 4)
    return { version, treeDigest }
  },
}

export interface TxnHeader {
  /** the session */
  readonly clientId: bigint
  /** the xid of the request */
  readonly cxid: number
  readonly zxid: bigint
  readonly time: number
  readonly type: number
}
export const TxnHeader: Codec<TxnHeader> = {
  name: 'TxnHeader',
  bytesMin: 32,
  write(writer, value) {
    const clientIdAt = writer.reserve(32)
    writer.view.setBigInt64(clientIdAt, value.clientId)
    writer.view.setInt32(clientIdAt + 8, value.cxid)
    writer.view.setBigInt64(clientIdAt + 12, value.zxid)
    setMillisAt(writer.view, clientIdAt + 20, value.time)
    writer.view.setInt32(clientIdAt + 28, value.type)
  },
  read(reader) {
    const clientIdAt = reader.take(32)
    const clientId = reader.view.getBigInt64(clientIdAt)
    const cxid = reader.view.getInt32(clientIdAt + 8)
    const zxid = reader.view.getBigInt64(clientIdAt + 12)
    const time = millisAt(reader.view, clientIdAt + 20)
    const type = reader.view.getInt32(clientIdAt + 28)
    return { clientId, cxid, zxid, time, type }
  },
}

export interface CreateTxnV0 {
  readonly path: string
  /** null and empty are different values */
  readonly data: Uint8Array | null
  readonly acl: readonly ACL[]
  readonly ephemeral: boolean
}
export const CreateTxnV0: Codec<CreateTxnV0> = {
  name: 'CreateTxnV0',
  bytesMin: 13,
  write(writer, value) {
    writer.ustring(value.path)
    writer.buffer(value.data)
    writer.vector(value.acl, ACL)
    writer.bool(value.ephemeral)
  },
  read(reader) {
    const path = reader.ustring()
    const data = reader.buffer()
    const acl = reader.vector(ACL)
    const ephemeral = reader.bool()
    return { path, data, acl, ephemeral }
  },
}

export interface CreateTxn {
  readonly path: string
  /** null and empty are different values */
  readonly data: Uint8Array | null
  readonly acl: readonly ACL[]
  readonly ephemeral: boolean
  readonly parentCVersion: number
}
export const CreateTxn: Codec<CreateTxn> = {
  name: 'CreateTxn',
  bytesMin: 17,
  write(writer, value) {
    writer.ustring(value.path)
    writer.buffer(value.data)
    writer.vector(value.acl, ACL)
    const ephemeralAt = writer.reserve(5)
    writer.view.setUint8(ephemeralAt, value.ephemeral ? 1 : 0)
    writer.view.setInt32(ephemeralAt + 1, value.parentCVersion)
  },
  read(reader) {
    const path = reader.ustring()
    const data = reader.buffer()
    const acl = reader.vector(ACL)
    const ephemeralAt = reader.take(5)
    const ephemeral = reader.view.getUint8(ephemeralAt) !== 0
    const parentCVersion = reader.view.getInt32(ephemeralAt + 1)
    return { path, data, acl, ephemeral, parentCVersion }
  },
}

export interface CreateTTLTxn {
  readonly path: string
  /** null and empty are different values */
  readonly data: Uint8Array | null
  readonly acl: readonly ACL[]
  readonly parentCVersion: number
  readonly ttl: number
}
export const CreateTTLTxn: Codec<CreateTTLTxn> = {
  name: 'CreateTTLTxn',
  bytesMin: 24,
  write(writer, value) {
    writer.ustring(value.path)
    writer.buffer(value.data)
    writer.vector(value.acl, ACL)
    const parentCVersionAt = writer.reserve(12)
    writer.view.setInt32(parentCVersionAt, value.parentCVersion)
    setMillisAt(writer.view, parentCVersionAt + 4, value.ttl)
  },
  read(reader) {
    const path = reader.ustring()
    const data = reader.buffer()
    const acl = reader.vector(ACL)
    const parentCVersionAt = reader.take(12)
    const parentCVersion = reader.view.getInt32(parentCVersionAt)
    const ttl = millisAt(reader.view, parentCVersionAt + 4)
    return { path, data, acl, parentCVersion, ttl }
  },
}

export interface CreateContainerTxn {
  readonly path: string
  /** null and empty are different values */
  readonly data: Uint8Array | null
  readonly acl: readonly ACL[]
  readonly parentCVersion: number
}
export const CreateContainerTxn: Codec<CreateContainerTxn> = {
  name: 'CreateContainerTxn',
  bytesMin: 16,
  write(writer, value) {
    writer.ustring(value.path)
    writer.buffer(value.data)
    writer.vector(value.acl, ACL)
    writer.int(value.parentCVersion)
  },
  read(reader) {
    const path = reader.ustring()
    const data = reader.buffer()
    const acl = reader.vector(ACL)
    const parentCVersion = reader.int()
    return { path, data, acl, parentCVersion }
  },
}

export interface DeleteTxn {
  readonly path: string
}
export const DeleteTxn: Codec<DeleteTxn> = {
  name: 'DeleteTxn',
  bytesMin: 4,
  write(writer, value) {
    writer.ustring(value.path)
  },
  read(reader) {
    const path = reader.ustring()
    return { path }
  },
}

export interface SetDataTxn {
  readonly path: string
  /** null and empty are different values */
  readonly data: Uint8Array | null
  readonly version: number
}
export const SetDataTxn: Codec<SetDataTxn> = {
  name: 'SetDataTxn',
  bytesMin: 12,
  write(writer, value) {
    writer.ustring(value.path)
    writer.buffer(value.data)
    writer.int(value.version)
  },
  read(reader) {
    const path = reader.ustring()
    const data = reader.buffer()
    const version = reader.int()
    return { path, data, version }
  },
}

export interface CheckVersionTxn {
  readonly path: string
  readonly version: number
}
export const CheckVersionTxn: Codec<CheckVersionTxn> = {
  name: 'CheckVersionTxn',
  bytesMin: 8,
  write(writer, value) {
    writer.ustring(value.path)
    writer.int(value.version)
  },
  read(reader) {
    const path = reader.ustring()
    const version = reader.int()
    return { path, version }
  },
}

export interface SetACLTxn {
  readonly path: string
  readonly acl: readonly ACL[]
  readonly version: number
}
export const SetACLTxn: Codec<SetACLTxn> = {
  name: 'SetACLTxn',
  bytesMin: 12,
  write(writer, value) {
    writer.ustring(value.path)
    writer.vector(value.acl, ACL)
    writer.int(value.version)
  },
  read(reader) {
    const path = reader.ustring()
    const acl = reader.vector(ACL)
    const version = reader.int()
    return { path, acl, version }
  },
}

export interface SetMaxChildrenTxn {
  readonly path: string
  readonly max: number
}
export const SetMaxChildrenTxn: Codec<SetMaxChildrenTxn> = {
  name: 'SetMaxChildrenTxn',
  bytesMin: 8,
  write(writer, value) {
    writer.ustring(value.path)
    writer.int(value.max)
  },
  read(reader) {
    const path = reader.ustring()
    const max = reader.int()
    return { path, max }
  },
}

export interface CreateSessionTxn {
  readonly timeOut: number
}
export const CreateSessionTxn: Codec<CreateSessionTxn> = {
  name: 'CreateSessionTxn',
  bytesMin: 4,
  write(writer, value) {
    writer.int(value.timeOut)
  },
  read(reader) {
    const timeOut = reader.int()
    return { timeOut }
  },
}

export interface CloseSessionTxn {
  readonly paths2Delete: readonly string[]
}
export const CloseSessionTxn: Codec<CloseSessionTxn> = {
  name: 'CloseSessionTxn',
  bytesMin: 4,
  write(writer, value) {
    writer.ustringVector(value.paths2Delete)
  },
  read(reader) {
    const paths2Delete = reader.ustringVector()
    return { paths2Delete }
  },
}

export interface ErrorTxn {
  readonly err: number
}
export const ErrorTxn: Codec<ErrorTxn> = {
  name: 'ErrorTxn',
  bytesMin: 4,
  write(writer, value) {
    writer.int(value.err)
  },
  read(reader) {
    const err = reader.int()
    return { err }
  },
}

export interface Txn {
  readonly type: number
  readonly data: Uint8Array | null
}
export const Txn: Codec<Txn> = {
  name: 'Txn',
  bytesMin: 8,
  write(writer, value) {
    writer.int(value.type)
    writer.buffer(value.data)
  },
  read(reader) {
    const type = reader.int()
    const data = reader.buffer()
    return { type, data }
  },
}

export interface MultiTxn {
  readonly txns: readonly Txn[]
}
export const MultiTxn: Codec<MultiTxn> = {
  name: 'MultiTxn',
  bytesMin: 4,
  write(writer, value) {
    writer.vector(value.txns, Txn)
  },
  read(reader) {
    const txns = reader.vector(Txn)
    return { txns }
  },
}
