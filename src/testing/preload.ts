/** What is there when a server starts. */
import { parentPath, type records, validatePath, ZooKeeperError } from '../protocol/index.ts'
import { type ServerState } from './state.ts'
import { openAcl } from './tree.ts'

/** The data of a znode, and what else is unlike the usual. */
export interface ZnodeOptions {
  readonly data?: string | Uint8Array | null
  readonly acl?: readonly records.ACL[]
}

/** Znodes by path, in any order. Ancestors that are not named come into being empty. */
export type TreeOption = Readonly<Record<string, string | Uint8Array | null | ZnodeOptions>>

/** Creates the znodes in one transaction, the first of the server. */
export function preload(state: ServerState, tree: TreeOption): void {
  const stamp = { zxid: ++state.lastZxid, timeMs: state.options.clock.wallMs() }
  const create = (path: string, { data = '', acl = openAcl }: ZnodeOptions): void => {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    const spec = { data: bytes, acl, kind: 'persistent', ephemeralOwner: 0n, ttlMs: 0 } as const
    state.tree.create(path, spec, stamp)
  }
  const createAncestors = (path: string): void => {
    const parent = parentPath(path)
    if (state.tree.get(parent) !== undefined) return
    createAncestors(parent)
    create(parent, {})
  }
  // A parent sorts before its children.
  for (const path of Object.keys(tree).sort()) {
    demandCreatable(state, path)
    createAncestors(path)
    create(path, optionsOf(tree[path] ?? null))
  }
  state.tree.commit()
}

function demandCreatable(state: ServerState, path: string): void {
  validatePath(path)
  if (state.tree.get(path) === undefined) return
  throw new ZooKeeperError('BAD_ARGUMENTS', { path, detail: 'every server has this znode' })
}

function optionsOf(value: TreeOption[string]): ZnodeOptions {
  const isData = value === null || typeof value === 'string' || value instanceof Uint8Array
  return isData ? { data: value } : value
}
