/**
 * Who votes in an ensemble: the participants that `/zookeeper/config` names, some of whom may not even
 * be here.
 *
 * Source: `QuorumMaj`.
 */
import { configPath } from '../protocol/ensemble-config.ts'
import { parseEnsembleConfig } from '../protocol/index.ts'
import { participantsOf } from './membership.ts'
import { type Replica } from './replica.ts'
import { type Tree } from './tree.ts'

export class Voters {
  #ids: ReadonlySet<number>
  /** What {@link #ids} was read from. */
  #config: Buffer | null = null

  constructor(ids: readonly number[]) {
    this.#ids = new Set(ids)
  }

  /** What the znode says now, counts. Returns whether it says something new. */
  adopt(tree: Tree): boolean {
    const { data } = tree.get(configPath)!
    if (data === null || data.length === 0 || data === this.#config) return false
    this.#ids = new Set(voterIdsOf(data.toString()))
    this.#config = data
    return true
  }

  /** Puts the znode back where data were lost: the servers have it in their own files, too. */
  remind(tree: Tree): void {
    if (this.#config === null || tree.get(configPath)!.data?.length !== 0) return
    tree.presetConfig(this.#config.toString())
  }

  includes({ id }: Replica): boolean {
    return this.#ids.has(id)
  }

  /** Whether these are enough to decide. */
  areMajority(replicas: readonly Replica[]): boolean {
    return 2 * replicas.filter((one) => this.includes(one)).length > this.#ids.size
  }

  /** The last transaction that a majority has written down, if only these can be counted. */
  lastZxidOfMajority(replicas: readonly Replica[]): bigint {
    const logged = replicas.filter((one) => this.includes(one)).map(({ loggedZxid }) => loggedZxid)
    return logged.sort(descending)[Math.floor(this.#ids.size / 2)] ?? none
  }
}

/** By the text of a configuration. */
export function voterIdsOf(config: string): readonly number[] {
  return participantsOf(parseEnsembleConfig(config).members).map(({ id }) => id)
}

/** Less than any transaction has. */
const none = -1n

function descending(one: bigint, other: bigint): number {
  if (one === other) return 0
  return one < other ? 1 : -1
}
