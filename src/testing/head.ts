/**
 * What a leader has decided, which is ahead of what any server shows until a majority has written it
 * down.
 *
 * Source: `PrepRequestProcessor`, `ZxidUtils`.
 */
import { type ServerState } from './state.ts'
import { type Mutation, RecordedTree, type Transaction } from './transaction.ts'
import { attemptWrite, type Ledger, type Outcome, type Write } from './write.ts'

export interface Decision<T> {
  readonly outcome: Outcome<T>
  readonly transaction: Transaction
}

const counterBits = 32n

/** The number of the leader that has made a transaction. */
export function epochOf(zxid: bigint): bigint {
  return zxid >> counterBits
}

export class Head implements Ledger {
  readonly tree: RecordedTree
  /** What all transactions of this leader are greater than. */
  readonly firstZxid: bigint
  /** The last transaction there is, of this leader or of one before it. */
  lastZxid: bigint
  readonly #record: Mutation[] = []
  readonly #sessions: Set<bigint>
  #nextZxid: bigint

  /** Begins with what the leader knows. */
  constructor({ tree, sessions, lastZxid }: ServerState, epoch: bigint) {
    this.tree = new RecordedTree(this.#record)
    this.tree.become(tree)
    this.#sessions = new Set([...sessions].map(({ id }) => id))
    this.lastZxid = lastZxid
    this.firstZxid = epoch << counterBits
    this.#nextZxid = this.firstZxid + 1n
  }

  hasSession(id: bigint): boolean {
    return this.#sessions.has(id)
  }

  openSession(id: bigint, timeoutMs: number): void {
    this.#sessions.add(id)
    this.#record.push({ do: 'openSession', id, timeoutMs })
  }

  endSession(id: bigint): void {
    this.#sessions.delete(id)
    this.#record.push({ do: 'endSession', id })
  }

  decide<T>(write: Write<T>, timeMs: number): Decision<T> {
    this.lastZxid = this.#nextZxid++
    const stamp = { zxid: this.lastZxid, timeMs }
    const outcome = attemptWrite(write, this, stamp)
    this.tree.commit()
    return { outcome, transaction: { stamp, mutations: this.#record.splice(0) } }
  }
}
