/**
 * Every operation of ZooKeeper 3.9, once, with every fact about it that any layer needs to know.
 *
 * Source: `ZooDefs.OpCode`, `FinalRequestProcessor`. Opcode 10 does not exist; 0, -1, -10 and 20 are
 * spoken between servers only.
 */
import { type Codec, Empty } from './bytes.ts'
import { MultiRequest, MultiResponse } from './multi.ts'
import * as records from './records.ts'

/**
 * What a request changes: `write` the data, so that it is never sent twice; `read` nothing, so that
 * it is sent again after a reconnect; `connection` something that the next connection must be told
 * anew.
 */
export type Effect = 'read' | 'write' | 'connection'

/** Which watch a successful request leaves on the server, if it asks for one. */
export type WatchKind = 'data' | 'child' | 'persistent'

export interface Operation<Q = unknown, A = unknown> {
  readonly name: string
  readonly code: number
  readonly request: Codec<Q>
  readonly response: Codec<A>
  readonly effect: Effect
  /** The field of the request that names the znode: what a chroot applies to. */
  readonly path: 'path' | 'prefixPath' | null
  readonly watch: WatchKind | null
  /** The first server version that knows it; older ones close the connection. */
  readonly since: string
  /**
   * Whether whatever speaks the protocol knows it, ZooKeeper 3.4 and servers of other makers included.
   */
  readonly isUniversal: boolean
  /** Whether a server that knows it answers it without waiting for more than its quorum. */
  readonly isPrompt: boolean
  /** Whether a reply without an error may say in its body that nothing was done. */
  readonly refusesInBody: boolean
}

/** Facts that most operations share. */
const usual = { path: 'path', watch: null, since: '3.0', refusesInBody: false } as const

export const operations = {
  create: define('create', 1, records.CreateRequest, records.CreateResponse, {
    ...usual,
    effect: 'write',
  }),
  delete: define('delete', 2, records.DeleteRequest, Empty, { ...usual, effect: 'write' }),
  exists: define('exists', 3, records.ExistsRequest, records.ExistsResponse, {
    ...usual,
    effect: 'read',
    watch: 'data',
  }),
  getData: define('getData', 4, records.GetDataRequest, records.GetDataResponse, {
    ...usual,
    effect: 'read',
    watch: 'data',
  }),
  setData: define('setData', 5, records.SetDataRequest, records.SetDataResponse, {
    ...usual,
    effect: 'write',
  }),
  getACL: define('getACL', 6, records.GetACLRequest, records.GetACLResponse, {
    ...usual,
    effect: 'read',
  }),
  setACL: define('setACL', 7, records.SetACLRequest, records.SetACLResponse, {
    ...usual,
    effect: 'write',
  }),
  getChildren: define('getChildren', 8, records.GetChildrenRequest, records.GetChildrenResponse, {
    ...usual,
    effect: 'read',
    watch: 'child',
  }),
  sync: define('sync', 9, records.SyncRequest, records.SyncResponse, { ...usual, effect: 'read' }),
  ping: define('ping', 11, Empty, Empty, { ...usual, effect: 'connection', path: null }),
  getChildren2: define(
    'getChildren2',
    12,
    records.GetChildren2Request,
    records.GetChildren2Response,
    { ...usual, effect: 'read', watch: 'child', since: '3.3' },
  ),
  /** Only inside a multi: alone, servers either do not answer it or close the connection. */
  check: define('check', 13, records.CheckVersionRequest, Empty, {
    ...usual,
    effect: 'read',
    since: '3.4',
  }),
  multi: define('multi', 14, MultiRequest, MultiResponse, {
    ...usual,
    effect: 'write',
    path: null,
    since: '3.4',
    refusesInBody: true,
  }),
  create2: define('create2', 15, records.CreateRequest, records.Create2Response, {
    ...usual,
    effect: 'write',
    since: '3.5',
  }),
  /** New servers have to catch up first. */
  reconfig: define('reconfig', 16, records.ReconfigRequest, records.GetDataResponse, {
    ...usual,
    isPrompt: false,
    effect: 'write',
    path: null,
    since: '3.5',
  }),
  checkWatches: define('checkWatches', 17, records.CheckWatchesRequest, Empty, {
    ...usual,
    effect: 'read',
    since: '3.5',
  }),
  removeWatches: define('removeWatches', 18, records.RemoveWatchesRequest, Empty, {
    ...usual,
    effect: 'connection',
    since: '3.5',
  }),
  createContainer: define('createContainer', 19, records.CreateRequest, records.Create2Response, {
    ...usual,
    effect: 'write',
    since: '3.5.1',
  }),
  createTTL: define('createTTL', 21, records.CreateTTLRequest, records.Create2Response, {
    ...usual,
    effect: 'write',
    since: '3.5.4',
  }),
  multiRead: define('multiRead', 22, MultiRequest, MultiResponse, {
    ...usual,
    effect: 'read',
    path: null,
    since: '3.6',
    refusesInBody: true,
  }),
  auth: define('auth', 100, records.AuthPacket, Empty, {
    ...usual,
    effect: 'connection',
    path: null,
  }),
  /** ClickHouse Keeper went without for years. */
  setWatches: define('setWatches', 101, records.SetWatches, Empty, {
    ...usual,
    isUniversal: false,
    effect: 'connection',
    path: null,
  }),
  sasl: define('sasl', 102, records.GetSASLRequest, records.SetSASLResponse, {
    ...usual,
    effect: 'connection',
    path: null,
    since: '3.4',
  }),
  getEphemerals: define(
    'getEphemerals',
    103,
    records.GetEphemeralsRequest,
    records.GetEphemeralsResponse,
    { ...usual, effect: 'read', path: 'prefixPath', since: '3.6' },
  ),
  getAllChildrenNumber: define(
    'getAllChildrenNumber',
    104,
    records.GetAllChildrenNumberRequest,
    records.GetAllChildrenNumberResponse,
    { ...usual, effect: 'read', since: '3.6' },
  ),
  setWatches2: define('setWatches2', 105, records.SetWatches2, Empty, {
    ...usual,
    effect: 'connection',
    path: null,
    since: '3.6',
  }),
  addWatch: define('addWatch', 106, records.AddWatchRequest, records.ErrorResponse, {
    ...usual,
    effect: 'read',
    watch: 'persistent',
    since: '3.6',
  }),
  whoAmI: define('whoAmI', 107, Empty, records.WhoAmIResponse, {
    ...usual,
    effect: 'read',
    path: null,
    since: '3.7',
  }),
  closeSession: define('closeSession', -11, Empty, Empty, {
    ...usual,
    effect: 'connection',
    path: null,
  }),
} as const

export type OperationName = keyof typeof operations

/** The operation of an opcode, for those who read requests. */
export const operationByCode: ReadonlyMap<number, Operation> = new Map(
  Object.values<Operation>(operations).map((operation) => [operation.code, operation]),
)

type Facts = Omit<
  Operation,
  'name' | 'code' | 'request' | 'response' | 'isUniversal' | 'isPrompt'
> &
  Partial<Pick<Operation, 'isUniversal' | 'isPrompt'>>

function define<Q, A>(
  name: string,
  code: number,
  request: Codec<Q>,
  response: Codec<A>,
  facts: Facts,
): Operation<Q, A> {
  const { since, isUniversal = since < '3.5', isPrompt = true, ...rest } = facts
  return { name, code, request, response, since, isUniversal, isPrompt, ...rest }
}
