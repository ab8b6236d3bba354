/**
 * The operations that spend no zxid: reads, and what a connection says about its watches.
 *
 * Source: `FinalRequestProcessor`, `DataTree`.
 */
import {
  AddWatchMode,
  type MultiPart,
  type MultiResult,
  type Operation,
  operations,
  Perms,
  type records,
  WatcherType,
} from '../protocol/index.ts'
import { demand, isPermitted, maskedAcl, userOf } from './acl.ts'
import { type Profile } from './profile.ts'
import { errnoOf, refuse } from './refusal.ts'
import { type Tree, type Znode } from './tree.ts'
import { type Watcher, type Watches } from './watches.ts'

/** Who asks, and of what. */
export interface ReadContext {
  readonly tree: Tree
  readonly watches: Watches
  readonly watcher: Watcher
  readonly ids: readonly records.Id[]
  readonly profile: Profile
}

type Handler<O> =
  O extends Operation<infer Q, infer A> ? (request: Q, context: ReadContext) => A : never
type Handlers = { readonly [N in keyof typeof operations]?: Handler<(typeof operations)[N]> }

export const reads = {
  /** The only read whose watch is left behind even if there is nothing to read. */
  exists({ path, watch }, { tree, watches, watcher, ids, profile }) {
    if (path.includes('\0')) refuse('BAD_ARGUMENTS')
    const znode = tree.get(path)
    if (znode !== undefined && profile.guardsWatches) demand(znode.acl, Perms.READ, ids)
    if (watch) watches.addData(path, watcher)
    return { stat: (znode ?? refuse('NO_NODE')).stat }
  },

  getData({ path, watch }, context) {
    const { data, stat } = readable(path, context)
    if (watch) context.watches.addData(path, context.watcher)
    return { data, stat }
  },

  getACL({ path }, { tree, ids }) {
    const { acl, stat } = tree.get(path) ?? refuse('NO_NODE')
    demand(acl, Perms.READ | Perms.ADMIN, ids)
    return { acl: isPermitted(acl, Perms.ADMIN, ids) ? acl : maskedAcl(acl), stat }
  },

  getChildren({ path, watch }, context) {
    const { children } = readable(path, context)
    if (watch) context.watches.addChild(path, context.watcher)
    return { children: [...children] }
  },

  getChildren2({ path, watch }, context) {
    const { children, stat } = readable(path, context)
    if (watch) context.watches.addChild(path, context.watcher)
    return { children: [...children], stat }
  },

  getAllChildrenNumber({ path }, context) {
    readable(path, context)
    return { totalNumber: context.tree.countBelow(path) }
  },

  /** `/pre` is a prefix of `/pre1`, too. */
  getEphemerals({ prefixPath }, { tree, watcher }) {
    const isForAll = prefixPath === null || ['', '/'].includes(prefixPath.trim())
    const prefix = isForAll ? '' : prefixPath
    const ephemerals = tree.ephemeralsOf(watcher.sessionId)
    return { ephemerals: ephemerals.filter((path) => path.startsWith(prefix)) }
  },

  /** With one server there is nobody to catch up with. The path is not even looked at. */
  sync: ({ path }) => ({ path }),

  whoAmI(_, { ids }) {
    const clientInfo = ids.map(({ scheme, id }) => {
      return { authScheme: scheme, user: scheme === 'digest' ? userOf(id) : id }
    })
    return { clientInfo }
  },

  addWatch({ path, mode }, { watches, watcher }) {
    if (!addWatchModes.has(mode)) refuse('MARSHALLING_ERROR')
    watches.addPersistent(path, watcher, mode)
    return { err: 0 }
  },

  checkWatches({ path, type }, { watches, watcher, profile }) {
    demandType(type, profile)
    const whose = profile.mistakesWatchers ? null : watcher
    return watches.has(path, whose, type) ? undefined : refuse('NO_WATCHER')
  },

  removeWatches({ path, type }, { watches, watcher, profile }) {
    demandType(type, profile)
    return watches.remove(path, watcher, type) ? undefined : refuse('NO_WATCHER')
  },

  setWatches(request, { tree, watches, watcher }) {
    watches.restore(tree, request, watcher)
    return undefined
  },

  /** Persistent watches are only armed: what they missed stays missed. */
  setWatches2(request, { tree, watches, watcher }) {
    watches.restore(tree, request, watcher)
    for (const path of request.persistentWatches) {
      watches.addPersistent(path, watcher, AddWatchMode.persistent)
    }
    for (const path of request.persistentRecursiveWatches) {
      watches.addPersistent(path, watcher, AddWatchMode['persistent-recursive'])
    }
    return undefined
  },

  /** Each read succeeds or fails for itself. Their watch flags have no effect. */
  multiRead: (parts, context) => parts.map((part) => readPart(part, context)),
} satisfies Handlers

const addWatchModes: ReadonlySet<number> = new Set(Object.values(AddWatchMode))
const watcherTypes: ReadonlySet<number> = new Set(Object.values(WatcherType))

/** Where modes are not told apart, they cannot be named either. */
function demandType(type: number, { hasModes }: Profile): void {
  if (!watcherTypes.has(type) || (!hasModes && type > WatcherType.Any)) refuse('MARSHALLING_ERROR')
}

/** Whether an operation may stand in a multiRead. */
export function isReadPart({ type }: MultiPart): boolean {
  return type === operations.getData.code || type === operations.getChildren.code
}

function readable(path: string, { tree, ids }: ReadContext): Znode {
  const znode = tree.get(path) ?? refuse('NO_NODE')
  demand(znode.acl, Perms.READ, ids)
  return znode
}

function readPart({ type, request }: MultiPart, context: ReadContext): MultiResult {
  const { path } = request as records.GetDataRequest
  try {
    const { data, children, stat } = readable(path, context)
    const isData = type === operations.getData.code
    return { type, err: 0, response: isData ? { data, stat } : { children: [...children] } }
  } catch (error) {
    return { type: -1, err: errnoOf(error), response: undefined }
  }
}
