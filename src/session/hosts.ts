import { type Host } from '../protocol/connect-string.ts'
import { Capabilities } from './capabilities.ts'
import { isSameHost, type Move, moveOf } from './rebalance.ts'

/** A host to dial, and how often it was dialled in vain: which of its addresses comes first. */
export interface DialTarget {
  readonly host: Host
  readonly attempt: number
}

interface Member {
  readonly host: Host
  attempts: number
}

/** The members of the ensemble, in a random order of our own, so that clients spread over them. */
export class Hosts {
  #members: readonly Member[]
  #last: Member | null = null
  /** Members to dial before it goes round again. */
  #ahead: readonly Member[] = []
  readonly #random: () => number
  /** What was learned of each of them. */
  readonly capabilities = new Capabilities()

  constructor(hosts: readonly Host[], random: () => number) {
    this.#random = random
    this.#members = membersOf(hosts, random)
  }

  get count(): number {
    return this.#members.length
  }

  get list(): readonly Host[] {
    return this.#members.map(({ host }) => host)
  }

  /** Round robin, hence another host than the last one if there is another. */
  next(): DialTarget {
    const [member = this.#memberAfter(this.#last), ...ahead] = this.#ahead
    this.#ahead = ahead
    this.#last = member
    return { host: member.host, attempt: member.attempts++ }
  }

  /** The host that was dialled last serves: the next dial to it begins with the same address. */
  settle(): void {
    this.#last!.attempts--
    this.#ahead = []
  }

  /** Makes a host the next one to be dialled. */
  prefer(host: Host): void {
    const member = this.#memberOf(host)
    if (member !== undefined) this.#ahead = [member]
  }

  /**
   * Takes on another list.
   *
   * @returns whether this client has to move to another server for the sake of balance, or because
   * its own is gone. The next dials go where it should be.
   */
  update(hosts: readonly Host[]): boolean {
    const before = this.list
    const current = (this.#ahead[0] ?? this.#last ?? this.#members[0])?.host
    this.#members = membersOf(hosts, this.#random)
    if (current === undefined) return false // the first list
    const after = this.list
    const move = moveOf(before, after, current, this.#random)
    const ahead = move === null ? [] : drawn(move, this.#random)
    this.#ahead = ahead.map((host) => this.#memberOf(host)!)
    return move !== null
  }

  #memberAfter(last: Member | null): Member {
    const at =
      last === null ? -1 : this.#members.findIndex(({ host }) => isSameHost(host, last.host))
    return this.#members[(at + 1) % this.#members.length]!
  }

  #memberOf(wanted: Host): Member | undefined {
    return this.#members.find(({ host }) => isSameHost(host, wanted))
  }
}

/** All hosts of a move in the order in which to try them, each drawn as the shares say. */
function drawn({ added, kept, addedShare }: Move, random: () => number): Host[] {
  const rest = { added: [...added], kept: [...kept] }
  const order: Host[] = []
  while (rest.added.length + rest.kept.length > 0) {
    const isAdded = rest.kept.length === 0 || (rest.added.length > 0 && random() < addedShare)
    order.push((isAdded ? rest.added : rest.kept).shift()!)
  }
  return order
}

/** In a random order, each once. */
function membersOf(hosts: readonly Host[], random: () => number): Member[] {
  const isFirst = (host: Host, i: number) => hosts.findIndex((one) => isSameHost(one, host)) === i
  return shuffled(hosts.filter(isFirst), random).map((host) => ({ host, attempts: 0 }))
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const list = [...items]
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[list[i], list[j]] = [list[j]!, list[i]!]
  }
  return list
}
