/** What clients are told, as text, without what two servers may tell differently. */
import { type records } from '../../src/protocol/index.ts'
import { type RawEvent } from '../unit/testing/raw-client.ts'

type ACL = records.ACL

/** Lists that a server keeps in no order. */
const unordered = new Set(['children', 'ephemerals', 'clientInfo'])

/** Who has proved by these who he is can be several people, whom a server keeps in no order. */
const provenSchemes = new Set(['digest', 'sasl', 'x509'])

export class Telling {
  /** That of the znode that all this is below. */
  zxidAtStart = 0n
  readonly #hasZxids: boolean
  readonly #countsZxids: boolean
  readonly #nameOf = new Map<bigint, string>()
  /** The zxids of session ends: the znodes that go along have no order. */
  readonly #ends = new Set<bigint>()

  /**
   * `hasZxids`: whether events say which change has caused them. `countsZxids`: whether both servers spend
   * as many; else it is only told that there is one.
   */
  constructor(hasZxids: boolean, countsZxids: boolean) {
    this.#hasZxids = hasZxids
    this.#countsZxids = countsZxids
  }

  nameSession(id: bigint, name: string): void {
    this.#nameOf.set(id, name)
  }

  noteEnd(zxid: bigint): void {
    this.#ends.add(zxid)
  }

  textOf(reply: unknown): string {
    return JSON.stringify(this.#plain('', reply))
  }

  textOfEvents(events: readonly RawEvent[]): string {
    return events
      .toSorted((a, b) => this.#order(a, b))
      .map(({ type, path, zxid }) => `${type} ${path} ${this.#zxid(zxid)}`)
      .join(', ')
  }

  /** As they came, but for those of one session's end. */
  #order(a: RawEvent, b: RawEvent): number {
    const isOfEnd = this.#hasZxids ? this.#ends.has(a.zxid) : this.#ends.size > 0
    if (a.zxid !== b.zxid || !isOfEnd) return 0
    return `${a.path} ${a.type}`.localeCompare(`${b.path} ${b.type}`)
  }

  #plain(key: string, value: unknown): unknown {
    if (key === 'ctime' || key === 'mtime') return value === 0 ? 0 : 'some time'
    if (key === 'acl' && value !== null) value = inOrder(value as ACL[])
    if (typeof value === 'bigint') {
      return key === 'ephemeralOwner' ? this.#owner(value) : this.#zxid(value)
    }
    if (Buffer.isBuffer(value)) return value.toString()
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#plain('', item))
      return unordered.has(key) ? items.map((item) => JSON.stringify(item)).sort() : items
    }
    if (typeof value !== 'object' || value === null) return value ?? null
    const entries = Object.entries(value).map(([name, field]) => [name, this.#plain(name, field)])
    return Object.fromEntries(entries) as unknown
  }

  #owner(id: bigint): string {
    return this.#nameOf.get(id) ?? BigInt.asUintN(64, id).toString(16)
  }

  #zxid(zxid: bigint): string {
    if (zxid <= 0n) return String(zxid)
    return this.#countsZxids ? `+${zxid - this.zxidAtStart}` : 'some zxid'
  }
}

/** Sorts the entries for several people that one `auth` may have become, and leaves all others. */
function inOrder(acl: readonly ACL[]): readonly ACL[] {
  const runs: ACL[][] = []
  for (const entry of acl) {
    const run = runs.at(-1)
    const last = run?.at(-1)
    const isAlike = last?.perms === entry.perms && provenSchemes.has(entry.id.scheme)
    if (run !== undefined && isAlike && provenSchemes.has(last.id.scheme)) run.push(entry)
    else runs.push([entry])
  }
  return runs.flatMap((run) => run.toSorted((a, b) => a.id.id.localeCompare(b.id.id)))
}
