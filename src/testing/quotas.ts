/**
 * Limits of subtrees. They are znodes: `/zookeeper/quota/app/zookeeper_limits` says how many znodes and
 * bytes there may be from `/app` on, and the server keeps how many there are in `zookeeper_stats` beside it.
 *
 * Source: `DataTree.updateQuotaStat`, `ZooKeeperServer.checkQuota`, `StatsTrack`.
 */
import { parentPath } from '../protocol/index.ts'
import { refuse } from './refusal.ts'

/** How many znodes and bytes there are, or may be. */
interface Amount {
  readonly count: number
  readonly bytes: number
}

/** What quotas are kept for. */
export interface CountedTree {
  get(path: string): { data: Buffer | null } | undefined
  /** Of `path` and all below. */
  amountFrom(path: string): Amount
}

/** What a transaction meets: both znodes as they were before it. Undefined for one that is not there. */
interface Quota {
  readonly limits: Buffer | null | undefined
  readonly stats: Buffer | null | undefined
}

/** Those that are not given count as -1. */
type Figures = ReadonlyMap<string, number>

const root = '/zookeeper/quota'
const limitsName = '/zookeeper_limits'
const statsName = '/zookeeper_stats'

export class Quotas {
  readonly #tree: CountedTree
  readonly #onBooked: (undo: () => void) => void
  /** The paths that have limits. */
  readonly #limited = new Set<string>()
  readonly #quotas = new Map<string, Quota>()
  /** Those of which something has changed since the last commit. */
  readonly #touched = new Set<string>()

  /** `onBooked` is told how to take back whatever is booked. */
  constructor(tree: CountedTree, onBooked: (undo: () => void) => void) {
    this.#tree = tree
    this.#onBooked = onBooked
  }

  handleCreated(path: string, bytes: number): void {
    if (path.startsWith(root)) {
      this.#touched.add(subjectOf(path))
      if (path.endsWith(limitsName)) this.#limit(subjectOf(path))
      if (path.endsWith(statsName)) this.#recount(subjectOf(path))
    }
    this.#add(path, { count: 1, bytes })
  }

  handleDeleted(path: string, bytes: number): void {
    if (path.startsWith(root)) {
      this.#touched.add(subjectOf(path))
      if (path.endsWith(limitsName)) this.#unlimit(subjectOf(path))
    }
    this.#add(path, { count: -1, bytes: -bytes })
  }

  handleChanged(path: string, bytesMore: number): void {
    if (path.startsWith(root)) this.#touched.add(subjectOf(path))
    this.#add(path, { count: 0, bytes: bytesMore })
  }

  /** Has the limits that `other` has, of a tree that is equal. */
  become(other: Quotas): void {
    this.#limited.clear()
    for (const path of other.#limited) this.#limited.add(path)
    this.commit()
  }

  /** What was booked is what later transactions meet. */
  commit(): void {
    for (const subject of this.#touched) {
      if (this.#limited.has(subject)) this.#quotas.set(subject, this.#quotaOf(subject))
      else this.#quotas.delete(subject)
    }
    this.#touched.clear()
  }

  /** Throws QUOTA_EXCEEDED if so much more were more than a hard limit. Soft limits only warn. */
  demand(path: string, more: Amount): void {
    const quota = this.#quotas.get(nearest(this.#quotas, path) ?? '')
    if (quota?.limits === undefined) return
    const limits = legible(quota.limits)
    if (quota.stats === undefined) return
    const stats = legible(quota.stats)
    const isExceeded =
      exceeds(stats.get('count'), more.count, limits.get('countHardLimit')) ||
      exceeds(stats.get('bytes'), more.bytes, limits.get('byteHardLimit'))
    if (isExceeded) refuse('QUOTA_EXCEEDED')
  }

  #quotaOf(subject: string): Quota {
    const dataOf = (name: string) => this.#tree.get(root + subject + name)?.data
    return { limits: dataOf(limitsName), stats: dataOf(statsName) }
  }

  #limit(subject: string): void {
    if (this.#limited.has(subject)) return
    this.#limited.add(subject)
    this.#onBooked(() => this.#limited.delete(subject))
  }

  #unlimit(subject: string): void {
    if (this.#limited.delete(subject)) this.#onBooked(() => this.#limited.add(subject))
  }

  #recount(subject: string): void {
    const { count, bytes } = this.#tree.amountFrom(subject)
    this.#write(
      subject,
      new Map([
        ['count', count],
        ['bytes', bytes],
      ]),
    )
  }

  #add(path: string, more: Amount): void {
    const subject = this.#limited.size === 0 ? null : nearest(this.#limited, path)
    if (subject === null) return
    const figures = figuresOf(this.#tree.get(root + subject + statsName)?.data)
    if (figures === null) return
    const count = (figures.get('count') ?? -1) + more.count
    const bytes = (figures.get('bytes') ?? -1) + more.bytes
    this.#write(subject, new Map([...figures, ['count', count], ['bytes', bytes]]))
  }

  /** No Stat shows it but by the length of the data, and no watch hears of it. */
  #write(subject: string, figures: Figures): void {
    const stats = this.#tree.get(root + subject + statsName)
    if (stats === undefined) return
    this.#touched.add(subject)
    const { data } = stats
    stats.data = Buffer.from(textOf(figures))
    this.#onBooked(() => (stats.data = data))
  }
}

/** `/app` of `/zookeeper/quota/app/zookeeper_limits`. */
function subjectOf(path: string): string {
  return parentPath(path).slice(root.length)
}

/** Of `path` and its ancestors but for the root, the first that is among `paths`. */
function nearest(paths: { has(path: string): boolean }, path: string): string | null {
  for (let at = path; at !== '/'; at = parentPath(at)) if (paths.has(at)) return at
  return null
}

function exceeds(amount = -1, more: number, limit = -1): boolean {
  return more !== 0 && limit > -1 && amount + more > limit
}

/** Servers do not expect it, either, and do not even tell which part of a multi it was. */
function legible(data: Buffer | null): Figures {
  const figures = figuresOf(data)
  if (figures === null) throw new Error('there are no figures in the znode of a quota')
  return figures
}

/** Of `count=5,bytes=-1=;countHardLimit=10`. Null if that cannot be read. */
function figuresOf(data: Buffer | null | undefined): Figures | null {
  if (data === null || data === undefined) return null
  const pairs = data
    .toString()
    .split(/[,;]+/)
    .filter((pair) => pair !== '')
  const figures = pairs.map((pair) => /^([^=]*)=(-?\d+)(=|$)/.exec(pair))
  if (figures.includes(null)) return null
  return new Map(figures.map((match) => [match![1]!, Number(match![2])]))
}

/** The first two as servers before 3.7 can read them, which the others must not disturb. */
function textOf(figures: Figures): string {
  const others = [...figures].filter(([key]) => key !== 'count' && key !== 'bytes').sort()
  const more = others.map(([key, value]) => `;${key}=${value}`).join('')
  const text = `count=${figures.get('count')},bytes=${figures.get('bytes')}`
  return more === '' ? text : `${text}=${more}`
}
