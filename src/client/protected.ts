/**
 * A create that makes one znode however often its reply is lost. The znode's name starts with a uuid,
 * as Curator's does (`_c_<uuid>-lock-0000000007`), by which it is found again.
 *
 * An ephemeral that is found is ours only if its `ephemeralOwner` is the live session: one that an
 * older session left behind is about to vanish.
 */
import { isZooKeeperError, type ZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { type Stat } from '../protocol/records.ts'
import { Budget } from './budget.ts'
import { isLoss, lossesMax, readSynced, reportLoss, unresolved } from './fate.ts'
import { type CallOptions } from './options.ts'
import { insist } from './patience.ts'
import { callCreate } from './plain-create.ts'
import { type CreateOptions, type Data, owned } from './requests.ts'
import { type ChildrenResult, type CreateResult } from './results.ts'
import { asIs, createdOf, nothing, statOf } from './shapes.ts'
import { operationOfMode } from './requests.ts'
import { type View } from './view.ts'

export interface ProtectOption {
  /**
   * Finds the znode again if the reply to its create is lost, and creates it if it is not there, so
   * that there is one in the end. For that its name gets a prefix: `_c_<uuid>-`, as Curator's does. If
   * the call fails, whatever the reason, no znode stays behind: one that may exist is removed in the
   * background, as soon as a server can be asked. Default false.
   */
  readonly protect?: boolean | undefined
}

export async function createProtected(
  view: View,
  path: string,
  data: Data,
  options: CreateOptions & CallOptions,
): Promise<CreateResult> {
  const { mode = 'persistent' } = options
  view.requests.create(path, null, options) // refuses the path itself: a prefix makes any name a good one
  const trace = traceOf(path, view.keeper.runtime.uuid())
  const operation = operationOfMode(mode)
  const request = owned(view.requests.create(trace.path, data, options))
  const budget = new Budget(view, options, { op: operation.name, path: trace.path })
  let mayExist = false
  try {
    for (let losses = 1; ; losses++) {
      try {
        return await callCreate(view, operation, () => request, createdOf, budget.options())
      } catch (error) {
        mayExist = isZooKeeperError(error) && error.outcome !== 'not-applied'
        if (!isLoss(error) || losses === lossesMax) throw error
        const found = mayExist ? await findAgain(view, trace, mode, budget, error) : null
        if (found !== null) return found
        reportLoss(view, error, losses)
      }
    }
  } catch (error) {
    if (mayExist) void removeLater(view, trace)
    throw error
  }
}

/** What a znode whose name has its number from the server can be known by. */
interface Trace {
  readonly path: string
  readonly parent: string
  readonly prefix: string
}

function traceOf(path: string, uuid: string): Trace {
  const slash = path.lastIndexOf('/')
  const prefix = `_c_${uuid}-`
  return {
    path: `${path.slice(0, slash + 1)}${prefix}${path.slice(slash + 1)}`,
    parent: slash <= 0 ? '/' : path.slice(0, slash),
    prefix,
  }
}

/** The znode, if it was created and is ours. One of an older session is removed. */
async function findAgain(
  view: View,
  trace: Trace,
  mode: string,
  budget: Budget,
  lost: ZooKeeperError,
): Promise<CreateResult | null> {
  try {
    return await readSynced(view, trace.parent, budget, async () => {
      for (const path of await pathsOf(view, trace, budget.options())) {
        const stat = await statAt(view, path, budget.options())
        if (stat === null) continue
        const isOurs =
          !mode.startsWith('ephemeral') || stat.ephemeralOwner === view.keeper.session.id
        if (isOurs) return { path, stat }
        await deleteIfThere(view, path, budget.options())
      }
      return null
    })
  } catch (error) {
    throw unresolved(error, lost)
  }
}

/** In the background, and by the client itself: the view may be closed by now. */
function removeLater(view: View, trace: Trace): Promise<void> {
  const { absolute } = view.base
  const below = { ...trace, parent: view.requests.path(trace.parent) }
  return insist(absolute, async (limits) => {
    await absolute.call(operations.sync, () => ({ path: below.parent }), nothing, limits)
    const paths = await pathsOf(absolute, below, limits)
    for (const path of paths) await deleteIfThere(absolute, path, limits)
  })
}

async function pathsOf(
  view: View,
  { parent, prefix }: Trace,
  limits: CallOptions,
): Promise<string[]> {
  try {
    const { children } = await view.read<ChildrenResult>(
      operations.getChildren2,
      parent,
      asIs,
      limits,
    )
    const above = parent === '/' ? '' : parent
    return children.filter((name) => name.startsWith(prefix)).map((name) => `${above}/${name}`)
  } catch (error) {
    if (isZooKeeperError(error, 'NO_NODE')) return []
    throw error
  }
}

function statAt(view: View, path: string, limits: CallOptions): Promise<Stat | null> {
  return view.read<Stat | null>(operations.exists, path, statOf, limits)
}

async function deleteIfThere(view: View, path: string, limits: CallOptions): Promise<void> {
  const request = view.requests.delete(path)
  try {
    await view.call(operations.delete, () => request, nothing, limits)
  } catch (error) {
    if (!isZooKeeperError(error, 'NO_NODE')) throw error
  }
}
