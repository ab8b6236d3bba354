/** Creates whose ancestors may be missing: they are made when a server says so, not before. */
import { CreateFlags } from '../protocol/constants.ts'
import { isZooKeeperError, ZooKeeperError } from '../protocol/errors.ts'
import { type ACL } from '../protocol/records.ts'
import { type Budget } from './budget.ts'
import { type CallOptions } from './options.ts'
import { callCreate } from './plain-create.ts'
import { type CreateOptions, operationOfMode } from './requests.ts'
import { type View } from './view.ts'
import { nothing } from './shapes.ts'

/** What to make above a znode, if it is missing. */
export interface Ancestry {
  /** The znode's path as the server knows it: a missing chroot is made, too. */
  readonly path: string
  readonly mode: 'persistent' | 'container'
  readonly acl: readonly ACL[]
}

/** What a create with these options wants above the znode at the server's `path`. */
export function ancestryOf(
  view: View,
  path: string,
  { parents = false, acl = view.keeper.options.acl }: CreateOptions = {},
): Ancestry | null {
  if (parents === false) return null
  const mode = modeOfParents.get(parents)
  if (mode === undefined) {
    throw new ZooKeeperError('BAD_ARGUMENTS', { detail: `parents cannot be "${String(parents)}"` })
  }
  return { path, mode, acl }
}

const modeOfParents = new Map<unknown, Ancestry['mode']>([
  [true, 'container'],
  ['container', 'container'],
  ['persistent', 'persistent'],
])

/** Empty containers above may vanish again, before they get their child; so often we begin anew. */
const attemptsMax = 10

/**
 * Repeats `create` until it does not fail for a missing ancestor; `ancestryOf` says of which znode.
 * Any number may do the same at the same time.
 */
export async function withAncestors<T>(
  view: View,
  budget: Budget,
  create: (options: CallOptions) => Promise<T>,
  ancestryOf: (error: ZooKeeperError) => Ancestry | null,
): Promise<T> {
  let ancestry: Ancestry | null = null
  let refusal: ZooKeeperError | null = null
  for (let attempt = 1; ; attempt++) {
    // Containers that somebody sweeps up at once are made again in the turn of the create.
    const isSwept = ancestry !== null && attempt > 2
    if (isSwept) createAncestors(view, ancestry!, budget).catch(nothing)
    try {
      return await create(budget.options())
    } catch (error) {
      ancestry = isZooKeeperError(error, 'NO_NODE') ? ancestryOf(error) : null
      if (ancestry === null || attempt === attemptsMax) throw error
      if (refusal !== null) throw refusal
      if (!isSwept) refusal = await createAncestors(view, ancestry, budget)
    }
  }
}

/**
 * Makes the ancestors that are missing, all in one turn: empty, from the top down.
 *
 * @returns a refusal that means nothing if the znode turns out to be there: who may not create
 * below the root may still do so below a znode that exists.
 */
async function createAncestors(
  view: View,
  ancestry: Ancestry,
  budget: Budget,
): Promise<ZooKeeperError | null> {
  const options = budget.options()
  const made = await Promise.allSettled(
    ancestorsOf(ancestry.path).map((path) => createAncestor(view, { ...ancestry, path }, options)),
  )
  const errors = made.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
  const isOld = errors.some((error) => isZooKeeperError(error, 'UNIMPLEMENTED'))
  if (isOld && ancestry.mode === 'container') {
    return createAncestors(view, { ...ancestry, mode: 'persistent' }, budget) // ZooKeeper 3.4
  }
  for (const error of errors) if (!isZooKeeperError(error, 'NO_AUTH')) throw error
  return (errors[0] as ZooKeeperError | undefined) ?? null
}

/** Leaves one that exists as it is. What the next create says of its ancestors is what counts. */
async function createAncestor(
  view: View,
  { path, mode, acl }: Ancestry,
  options: CallOptions,
): Promise<void> {
  const request = { path, data: empty, acl, flags: CreateFlags[mode] }
  try {
    await callCreate(view, operationOfMode(mode), () => request, nothing, options)
  } catch (error) {
    // NO_NODE: one above is gone again, or could not be made. CONNECTION_LOSS: it may be there now.
    if (!isZooKeeperError(error) || !harmless.has(error.code)) throw error
  }
}

/** `/a` and `/a/b` for `/a/b/c`, from the top down; also `/a/b` for the sequential `/a/b/`. */
function ancestorsOf(path: string): string[] {
  const ancestors: string[] = []
  for (let end = path.indexOf('/', 1); end !== -1; end = path.indexOf('/', end + 1)) {
    ancestors.push(path.slice(0, end))
  }
  return ancestors
}

const harmless: ReadonlySet<string> = new Set(['NODE_EXISTS', 'NO_NODE', 'CONNECTION_LOSS'])

const empty = Buffer.alloc(0)
