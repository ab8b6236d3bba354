/**
 * The znodes of one server: what they contain, how each change shows in their Stats, and a journal
 * that takes changes back, because a multi is all or nothing.
 *
 * Nothing here asks whether a change is allowed; `writes.ts` does, in the order a server does.
 *
 * Source: `DataTree`, `DataNode`.
 */
import { configPath } from '../protocol/ensemble-config.ts'
import { EventType, parentPath, Perms, records } from '../protocol/index.ts'
import { Quotas } from './quotas.ts'

type ACL = records.ACL

/** What all changes of one transaction have in common. */
export interface Stamp {
  readonly zxid: bigint
  readonly timeMs: number
}

/** Containers and TTL znodes are the ones a server removes by itself. */
export type ZnodeKind = 'persistent' | 'ephemeral' | 'container' | 'ttl'

export interface ZnodeSpec {
  readonly data: Uint8Array | null
  readonly acl: readonly ACL[]
  readonly kind: ZnodeKind
  /** The session of an ephemeral znode; 0n for all others. */
  readonly ephemeralOwner: bigint
  /** Only of a TTL znode. */
  readonly ttlMs: number
}

/** A change as watches see it. `acl` decides who may hear of it. */
export interface Change {
  readonly type: number
  readonly path: string
  readonly zxid: bigint
  readonly acl: readonly ACL[]
  readonly parent: { readonly path: string; readonly acl: readonly ACL[] } | null
}

export const openAcl: readonly ACL[] = [{ perms: Perms.ALL, id: { scheme: 'world', id: 'anyone' } }]
const readOnlyAcl: readonly ACL[] = [{ perms: Perms.READ, id: { scheme: 'world', id: 'anyone' } }]

/** Whatever is written to the configuration of an ensemble. */
const configVersion = -1

const beginning: Stamp = { zxid: 0n, timeMs: 0 }
const builtIn: ZnodeSpec = {
  data: Buffer.alloc(0),
  acl: openAcl,
  kind: 'persistent',
  ephemeralOwner: 0n,
  ttlMs: 0,
}

export class Znode {
  data: Buffer | null
  acl: readonly ACL[]
  readonly kind: ZnodeKind
  readonly ephemeralOwner: bigint
  readonly ttlMs: number
  readonly czxid: bigint
  readonly ctimeMs: number
  mzxid: bigint
  mtimeMs: number
  pzxid: bigint
  version = 0
  aversion = 0
  /** How many children were ever created: the next sequence number, and half of `cversion`. */
  childCreates = 0
  readonly children = new Set<string>()

  constructor(spec: ZnodeSpec, { zxid, timeMs }: Stamp) {
    this.data = bufferOf(spec.data)
    this.acl = spec.acl
    this.kind = spec.kind
    this.ephemeralOwner = spec.ephemeralOwner
    this.ttlMs = spec.ttlMs
    this.czxid = this.mzxid = this.pzxid = zxid
    this.ctimeMs = this.mtimeMs = timeMs
  }

  /** The data is shared: it is only ever replaced. */
  copy(): Znode {
    const copy = new Znode(this, { zxid: this.czxid, timeMs: this.ctimeMs })
    const { mzxid, mtimeMs, pzxid, version, aversion, childCreates } = this
    Object.assign(copy, { mzxid, mtimeMs, pzxid, version, aversion, childCreates })
    for (const child of this.children) copy.children.add(child)
    return copy
  }

  /**
   * The Stat at this moment. Servers store only the creates and derive the rest: each living child
   * stands for one change of the set, each dead one for two.
   */
  get stat(): records.Stat {
    return new records.Stat(
      this.czxid,
      this.mzxid,
      this.ctimeMs,
      this.mtimeMs,
      this.version,
      (2 * this.childCreates - this.children.size) | 0,
      this.aversion,
      this.ephemeralOwner,
      this.data?.length ?? 0,
      this.children.size,
      this.pzxid,
    )
  }
}

export class Tree {
  #znodes = new Map<string, Znode>()
  #ephemerals = new Map<bigint, Set<string>>()
  #removable = new Set<string>()
  /** How to take back, newest last, and what to tell watches about, since the last commit. */
  #journal: (() => void)[] = []
  #changes: Change[] = []
  readonly quotas = new Quotas(this, (undo) => this.#journal.push(undo))

  constructor() {
    // These were never counted as creates, so a fresh root has the cversion -1.
    this.#znodes.set('/', new Znode(builtIn, beginning))
    this.#attach('/zookeeper', new Znode(builtIn, beginning))
    this.#attach('/zookeeper/quota', new Znode(builtIn, beginning))
    const config = new Znode({ ...builtIn, acl: readOnlyAcl }, beginning)
    config.aversion = -1
    this.#attach(configPath, config)
  }

  get size(): number {
    return this.#znodes.size
  }

  /** In no particular order. */
  get paths(): Iterable<string> {
    return this.#znodes.keys()
  }

  /** The empty path is another name of the root. */
  get(path: string): Znode | undefined {
    return this.#znodes.get(path === '' ? '/' : path)
  }

  /** How many znodes are below `path`. */
  countBelow(path: string): number {
    if (path === '/' || path === '') return this.#znodes.size - 1
    const prefix = `${path}/`
    let count = 0
    for (const candidate of this.#znodes.keys()) if (candidate.startsWith(prefix)) count++
    return count
  }

  /** How many znodes, and how many bytes of data, there are at `path` and below. */
  amountFrom(path: string): { readonly count: number; readonly bytes: number } {
    const amount = { count: 0, bytes: 0 }
    const add = (at: string): void => {
      const znode = this.get(at)
      if (znode === undefined) return
      amount.count++
      amount.bytes += lengthOf(znode)
      for (const name of znode.children) add(at === '/' ? `/${name}` : `${at}/${name}`)
    }
    add(path)
    return amount
  }

  ephemeralsOf(sessionId: bigint): string[] {
    return [...(this.#ephemerals.get(sessionId) ?? [])]
  }

  /** Whether {@link expiredPaths} can ever name one. */
  get hasRemovable(): boolean {
    return this.#removable.size > 0
  }

  /** The childless containers that once had a child, and the TTL znodes whose time has passed. */
  expiredPaths(wallMs: number): string[] {
    return [...this.#removable].filter((path) => {
      const znode = this.#znodes.get(path)
      if (znode === undefined || znode.children.size > 0) return false
      if (znode.kind === 'container') return znode.childCreates > 0
      return wallMs - znode.mtimeMs > znode.ttlMs
    })
  }

  /** Adds `path`, whose parent must exist. Returns its Stat. */
  create(path: string, spec: ZnodeSpec, stamp: Stamp): records.Stat {
    const parent = this.#parentOf(path)
    const { pzxid, childCreates } = parent
    const znode = new Znode(spec, stamp)
    this.#attach(path, znode)
    parent.pzxid = stamp.zxid
    parent.childCreates = (childCreates + 1) | 0
    this.#journal.push(() => {
      this.#detach(path, znode)
      parent.pzxid = pzxid
      parent.childCreates = childCreates
    })
    this.#record(EventType.NodeCreated, path, znode, stamp, parent)
    const { stat } = znode // before quotas are counted, which may be in this very znode
    this.quotas.handleCreated(path, lengthOf(znode))
    return stat
  }

  /** Removes `path`, which must exist and have no children. */
  delete(path: string, stamp: Stamp): void {
    const znode = this.#existing(path)
    const parent = this.#parentOf(path)
    const { pzxid } = parent
    this.#detach(path, znode)
    parent.pzxid = stamp.zxid
    this.#journal.push(() => {
      this.#attach(path, znode)
      parent.pzxid = pzxid
    })
    this.#record(EventType.NodeDeleted, path, znode, stamp, parent)
    this.quotas.handleDeleted(path, lengthOf(znode))
  }

  setData(path: string, data: Uint8Array | null, stamp: Stamp): records.Stat {
    const znode = this.#existing(path)
    const { data: dataBefore, version, mzxid, mtimeMs } = znode
    znode.data = bufferOf(data)
    znode.version = (version + 1) | 0
    znode.mzxid = stamp.zxid
    znode.mtimeMs = stamp.timeMs
    this.#journal.push(() => Object.assign(znode, { data: dataBefore, version, mzxid, mtimeMs }))
    this.#record(EventType.NodeDataChanged, path, znode, stamp, null)
    const { stat } = znode
    this.quotas.handleChanged(path, lengthOf(znode) - (dataBefore?.length ?? 0))
    return stat
  }

  /** What the ensemble is from the beginning: that takes no transaction. */
  presetConfig(text: string): void {
    const znode = this.#existing(configPath)
    znode.data = Buffer.from(text)
    znode.version = configVersion
  }

  /** What the ensemble is from now on. The text says itself which version it is. */
  setConfig(text: string, stamp: Stamp): records.Stat {
    const znode = this.#existing(configPath)
    const { data, version, mzxid, mtimeMs } = znode
    this.presetConfig(text)
    znode.mzxid = stamp.zxid
    znode.mtimeMs = stamp.timeMs
    this.#journal.push(() => Object.assign(znode, { data, version, mzxid, mtimeMs }))
    this.#record(EventType.NodeDataChanged, configPath, znode, stamp, null)
    return znode.stat
  }

  /** No watch hears of it. */
  setACL(path: string, acl: readonly ACL[]): records.Stat {
    const znode = this.#existing(path)
    const { acl: aclBefore, aversion } = znode
    znode.acl = acl
    znode.aversion = (aversion + 1) | 0
    this.#journal.push(() => Object.assign(znode, { acl: aclBefore, aversion }))
    return znode.stat
  }

  /** Has what `other` has, instead of its own. */
  become(other: Tree): void {
    this.#znodes = new Map([...other.#znodes].map(([path, znode]) => [path, znode.copy()]))
    this.#ephemerals = new Map([...other.#ephemerals].map(([id, paths]) => [id, new Set(paths)]))
    this.#removable = new Set(other.#removable)
    this.#changes = []
    this.#journal = []
    this.quotas.become(other.quotas)
  }

  /** Makes everything since the last commit final, and returns it in order. */
  commit(): readonly Change[] {
    const changes = this.#changes
    this.#changes = []
    this.#journal = []
    this.quotas.commit()
    return changes
  }

  /** Takes everything since the last commit back. */
  rollback(): void {
    for (const undo of this.#journal.reverse()) undo()
    this.#changes = []
    this.#journal = []
  }

  #record(type: number, path: string, znode: Znode, { zxid }: Stamp, parent: Znode | null): void {
    this.#changes.push({
      type,
      path,
      zxid,
      acl: znode.acl,
      parent: parent === null ? null : { path: parentPath(path), acl: parent.acl },
    })
  }

  #attach(path: string, znode: Znode): void {
    this.#znodes.set(path, znode)
    this.#parentOf(path).children.add(nameOf(path))
    if (znode.kind === 'container' || znode.kind === 'ttl') this.#removable.add(path)
    if (znode.kind !== 'ephemeral') return
    const siblings = this.#ephemerals.get(znode.ephemeralOwner)
    if (siblings === undefined) this.#ephemerals.set(znode.ephemeralOwner, new Set([path]))
    else siblings.add(path)
  }

  #detach(path: string, { kind, ephemeralOwner }: Znode): void {
    this.#znodes.delete(path)
    this.#parentOf(path).children.delete(nameOf(path))
    this.#removable.delete(path)
    if (kind !== 'ephemeral') return
    const siblings = this.#ephemerals.get(ephemeralOwner)
    siblings?.delete(path)
    if (siblings?.size === 0) this.#ephemerals.delete(ephemeralOwner)
  }

  #parentOf(path: string): Znode {
    return this.#existing(parentPath(path))
  }

  #existing(path: string): Znode {
    const znode = this.get(path)
    if (znode === undefined) throw new Error(`no znode ${path}: the caller has to look first`)
    return znode
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function lengthOf({ data }: Znode): number {
  return data?.length ?? 0
}

/** The same memory: what a request brought belongs to the tree. */
function bufferOf(data: Uint8Array | null): Buffer | null {
  return data === null ? null : Buffer.from(data.buffer, data.byteOffset, data.length)
}
