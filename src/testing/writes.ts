/**
 * The operations that spend a zxid, each with its checks in the order of a real server: which error
 * a client gets depends on it.
 *
 * Source: `PrepRequestProcessor.pRequest2Txn`, `MultiOperationRecord`.
 */
import { configPath } from '../protocol/ensemble-config.ts'
import {
  CreateFlags,
  isZooKeeperError,
  type MultiPart,
  type MultiResult,
  type Operation,
  operations,
  parentPath,
  parseEnsembleConfig,
  Perms,
  type records,
  ttlMsMax,
  validatePath,
} from '../protocol/index.ts'
import { demand, storedAcl } from './acl.ts'
import { configTextOf, type Electorate, membersAfter, participantsOf } from './membership.ts'
import { isReadPart } from './reads.ts'
import { type Profile } from './profile.ts'
import { errnoOf, refuse } from './refusal.ts'
import { type Stamp, type Tree, type Znode, type ZnodeKind } from './tree.ts'

/** What a server was told to allow. */
export interface WriteOptions {
  readonly profile: Profile
  /** Whether TTL znodes can be created. */
  readonly hasExtendedTypes: boolean
  /** The schemes that ACLs may speak of. */
  readonly schemes: ReadonlySet<string>
  /** Whether writes beyond the hard limit of a quota are refused. */
  readonly enforcesQuotas: boolean
  readonly allowsReconfig?: boolean | undefined
  /** Only of a member of an ensemble. */
  readonly electorate?: Electorate | undefined
}

/** Under which circumstances a write is made, and by whom. */
export interface WriteContext {
  readonly tree: Tree
  readonly stamp: Stamp
  readonly sessionId: bigint
  readonly ids: readonly records.Id[]
  readonly options: WriteOptions
  /** In a multi: what the parts before have created with the flags of an ephemeral. */
  readonly flaggedEphemeral?: Set<string>
}

type Handler<O> =
  O extends Operation<infer Q, infer A> ? (request: Q, context: WriteContext) => A : never
type Handlers = { readonly [N in keyof typeof operations]?: Handler<(typeof operations)[N]> }

export const writes = {
  create: (request, context) => create('create', request, noTtl, context),
  create2: (request, context) => create('create', request, noTtl, context),
  createContainer: (request, context) => create('createContainer', request, noTtl, context),
  createTTL: (request, context) => create('createTTL', request, request.ttl, context),

  delete({ path, version }, { tree, stamp, ids }) {
    if (hasNoParent(path) || undeletable.has(path)) refuse('BAD_ARGUMENTS')
    demand(existing(tree, parentPath(path)).acl, Perms.DELETE, ids)
    const znode = existing(tree, path)
    demandVersion(znode.version, version)
    if (znode.children.size > 0) refuse('NOT_EMPTY')
    tree.delete(path, stamp)
    return undefined
  },

  setData({ path, data, version }, { tree, stamp, ids, options }) {
    validatePath(path)
    const znode = existing(tree, path)
    demand(znode.acl, Perms.WRITE, ids)
    if (options.enforcesQuotas) {
      const bytes = (data?.length ?? 0) - (znode.data?.length ?? 0)
      tree.quotas.demand(path, { count: 0, bytes })
    }
    demandVersion(znode.version, version)
    return { stat: tree.setData(path, data, stamp) }
  },

  setACL({ path, acl, version }, { tree, ids, options }) {
    validatePath(path)
    const stored = storedAcl(acl, ids, options.schemes)
    const znode = existing(tree, path)
    demand(znode.acl, Perms.ADMIN, ids)
    demandVersion(znode.aversion, version)
    return { stat: tree.setACL(path, stored) }
  },

  check({ path, version }, { tree, ids }) {
    validatePath(path)
    const znode = existing(tree, path)
    demand(znode.acl, Perms.READ, ids)
    demandVersion(znode.version, version)
    return undefined
  },

  /** Servers refuse it unless they were told to allow it, and those that are alone do not know it. */
  reconfig(request, { tree, stamp, ids, options: { allowsReconfig, electorate } }) {
    if (allowsReconfig !== true) refuse('RECONFIG_DISABLED')
    if (electorate === undefined) refuse('UNIMPLEMENTED')
    if (electorate.isReconfiguring()) refuse('RECONFIG_IN_PROGRESS')
    const { data, acl } = existing(tree, configPath)
    const next = membersAfter(parseEnsembleConfig(data?.toString() ?? ''), request)
    const voters = participantsOf(next).map(({ id }) => id)
    if (!electorate.hasQuorumOf(voters)) refuse('NEW_CONFIG_NO_QUORUM')
    demand(acl, Perms.WRITE, ids)
    const text = configTextOf(next, stamp.zxid)
    return { stat: tree.setConfig(text, stamp), data: Buffer.from(text) }
  },

  /** All or nothing. A failure is no error of the request: it stands in the results. */
  multi(parts, circumstances) {
    if (!parts.every(isWritePart)) refuse('MARSHALLING_ERROR')
    const context = { ...circumstances, flaggedEphemeral: new Set<string>() }
    const results: MultiResult[] = []
    for (const part of parts) {
      try {
        results.push(runPart(part, context))
      } catch (error) {
        if (!isZooKeeperError(error)) throw error
        context.tree.rollback()
        return failedResults(parts.length, results.length, errnoOf(error))
      }
    }
    return results
  },
} satisfies Handlers

type CreateOperation = 'create' | 'createContainer' | 'createTTL'

const noTtl = -1
const createFlagsMax = 6
const undeletable: ReadonlySet<string> = new Set([
  '/',
  '/zookeeper',
  '/zookeeper/quota',
  '/zookeeper/config',
])

const ephemeralFlags: ReadonlySet<number> = new Set([
  CreateFlags.ephemeral,
  CreateFlags['ephemeral-sequential'],
])
const ttlFlags: ReadonlySet<number> = new Set([
  CreateFlags['persistent-with-ttl'],
  CreateFlags['persistent-sequential-with-ttl'],
])
const sequentialFlags: ReadonlySet<number> = new Set([
  CreateFlags['persistent-sequential'],
  CreateFlags['ephemeral-sequential'],
  CreateFlags['persistent-sequential-with-ttl'],
])

function create(
  operation: CreateOperation,
  { path: pathWanted, data, acl, flags }: records.CreateRequest,
  ttlMs: number,
  { tree, stamp, sessionId, ids, options, flaggedEphemeral }: WriteContext,
): { readonly path: string; readonly stat: records.Stat } {
  if (!areCreateFlags(flags)) refuse('BAD_ARGUMENTS')
  demandTtl(flags, ttlMs, options.hasExtendedTypes)
  if (hasNoParent(pathWanted)) refuse('BAD_ARGUMENTS')
  const stored = storedAcl(acl, ids, options.schemes)
  const parent = existing(tree, parentPath(pathWanted))
  demand(parent.acl, Perms.CREATE, ids)
  const path = sequentialFlags.has(flags) ? pathWanted + sequenceOf(parent) : pathWanted
  validatePath(path)
  if (tree.get(path) !== undefined) refuse('NODE_EXISTS')
  // Before a multi is applied, the flags decide: even a container counts as ephemeral if they say so.
  if (parent.kind === 'ephemeral' || flaggedEphemeral?.has(parentPath(path)) === true) {
    refuse('NO_CHILDREN_FOR_EPHEMERALS')
  }
  if (options.enforcesQuotas) tree.quotas.demand(path, { count: 1, bytes: data?.length ?? 0 })
  const kind = kindOf(operation, flags)
  const ephemeralOwner = kind === 'ephemeral' ? sessionId : 0n
  const stat = tree.create(path, { data, acl: stored, kind, ephemeralOwner, ttlMs }, stamp)
  if (ephemeralFlags.has(flags)) flaggedEphemeral?.add(path)
  else flaggedEphemeral?.delete(path)
  return { path, stat }
}

/** Whatever the flags say, a container is made by its own operation, and by no other. */
function kindOf(operation: CreateOperation, flags: number): ZnodeKind {
  if (operation === 'createContainer') return 'container'
  if (ttlFlags.has(flags)) return 'ttl'
  return ephemeralFlags.has(flags) ? 'ephemeral' : 'persistent'
}

function areCreateFlags(flags: number): boolean {
  return flags >= 0 && flags <= createFlagsMax
}

function demandTtl(flags: number, ttlMs: number, hasExtendedTypes: boolean): void {
  if (!ttlFlags.has(flags)) {
    if (ttlMs >= 0) refuse('BAD_ARGUMENTS')
    return
  }
  if (!hasExtendedTypes) refuse('UNIMPLEMENTED')
  if (ttlMs <= 0 || ttlMs > ttlMsMax) refuse('BAD_ARGUMENTS')
}

/** Ten digits, where a sign counts as one: the counter wraps like an int. */
function sequenceOf({ childCreates }: Znode): string {
  return childCreates < 0
    ? `-${String(-childCreates).padStart(9, '0')}`
    : String(childCreates).padStart(10, '0')
}

/** The rest of a path is only looked at once its parent is known to exist. */
function hasNoParent(path: string): boolean {
  return !path.includes('/') || path.includes('\0')
}

function existing(tree: Tree, path: string): Znode {
  return tree.get(path) ?? refuse('NO_NODE')
}

function demandVersion(version: number, expected: number): void {
  if (expected !== -1 && expected !== version) refuse('BAD_VERSION')
}

/**
 * What a server can decode as part of a multi: no reads, no flags that it does not know, and those
 * of a TTL only where there can be one.
 */
function isWritePart({ type, request }: MultiPart): boolean {
  switch (type) {
    case operations.create.code:
    case operations.create2.code:
    case operations.createContainer.code: {
      const { flags } = request as records.CreateRequest
      return areCreateFlags(flags) && !ttlFlags.has(flags)
    }
    default:
      return !isReadPart({ type, request })
  }
}

function runPart({ type, request }: MultiPart, context: WriteContext): MultiResult {
  switch (type) {
    case operations.delete.code:
      writes.delete(request as records.DeleteRequest, context)
      return done(type, undefined)
    case operations.setData.code:
      return done(type, writes.setData(request as records.SetDataRequest, context))
    case operations.check.code:
      writes.check(request as records.CheckVersionRequest, context)
      return done(type, undefined)
    default:
      return runCreatePart(type, request as records.CreateRequest, context)
  }
}

/** Inside a multi, the flags decide what is made, and all but the plain create answer a Stat. */
function runCreatePart(
  type: number,
  request: records.CreateRequest | records.CreateTTLRequest,
  context: WriteContext,
): MultiResult {
  const { typesCountInMulti } = context.options.profile
  const operation = partOperation(typesCountInMulti ? type : null, request.flags)
  const ttlMs = operation === 'createTTL' && 'ttl' in request ? request.ttl : noTtl
  const created = create(operation, request, ttlMs, context)
  const isAsked = type === operations.create2.code && typesCountInMulti
  const hasStat = operation !== 'create' || isAsked
  return done(hasStat ? operations.create2.code : operations.create.code, created)
}

function partOperation(type: number | null, flags: number): CreateOperation {
  if (ttlFlags.has(flags)) return 'createTTL'
  const isContainer = flags === CreateFlags.container || type === operations.createContainer.code
  return isContainer ? 'createContainer' : 'create'
}

function done(type: number, response: unknown): MultiResult {
  return { type, err: 0, response }
}

/** Zero for those rolled back, the code for the one that failed, "not evaluated" for the rest. */
function failedResults(count: number, failedAt: number, errno: number): MultiResult[] {
  const notEvaluated = -2
  return Array.from({ length: count }, (_, index) => {
    const err = index < failedAt ? 0 : index === failedAt ? errno : notEvaluated
    return { type: -1, err, response: undefined }
  })
}
