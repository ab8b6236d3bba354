/** What a leader tells the other members: not what was asked, but what has come of it. */
import { type records } from '../protocol/index.ts'
import { type Stamp, Tree, type ZnodeSpec } from './tree.ts'
import { type Ledger } from './write.ts'

/** One change, without a condition. */
export type Mutation =
  | { readonly do: 'create'; readonly path: string; readonly spec: ZnodeSpec }
  | { readonly do: 'delete'; readonly path: string }
  | { readonly do: 'setData'; readonly path: string; readonly data: Uint8Array | null }
  | { readonly do: 'setACL'; readonly path: string; readonly acl: readonly records.ACL[] }
  | { readonly do: 'setConfig'; readonly text: string }
  | { readonly do: 'openSession'; readonly id: bigint; readonly timeoutMs: number }
  | { readonly do: 'endSession'; readonly id: bigint }

/** All that was decided at once. A write that failed is one without mutations. */
export interface Transaction {
  readonly stamp: Stamp
  readonly mutations: readonly Mutation[]
}

export function mutate(ledger: Ledger, mutation: Mutation, stamp: Stamp): void {
  switch (mutation.do) {
    case 'create':
      return void ledger.tree.create(mutation.path, mutation.spec, stamp)
    case 'delete':
      return ledger.tree.delete(mutation.path, stamp)
    case 'setData':
      return void ledger.tree.setData(mutation.path, mutation.data, stamp)
    case 'setACL':
      return void ledger.tree.setACL(mutation.path, mutation.acl)
    case 'setConfig':
      return void ledger.tree.setConfig(mutation.text, stamp)
    case 'openSession':
      return ledger.openSession(mutation.id, mutation.timeoutMs)
    case 'endSession':
      return ledger.endSession(mutation.id)
  }
}

/** A tree that writes down what is done to it. */
export class RecordedTree extends Tree {
  readonly #record: Mutation[]

  constructor(record: Mutation[]) {
    super()
    this.#record = record
  }

  override create(path: string, spec: ZnodeSpec, stamp: Stamp): records.Stat {
    const stat = super.create(path, spec, stamp)
    this.#record.push({ do: 'create', path, spec })
    return stat
  }

  override delete(path: string, stamp: Stamp): void {
    super.delete(path, stamp)
    this.#record.push({ do: 'delete', path })
  }

  override setData(path: string, data: Uint8Array | null, stamp: Stamp): records.Stat {
    const stat = super.setData(path, data, stamp)
    this.#record.push({ do: 'setData', path, data })
    return stat
  }

  override setACL(path: string, acl: readonly records.ACL[]): records.Stat {
    const stat = super.setACL(path, acl)
    this.#record.push({ do: 'setACL', path, acl })
    return stat
  }

  override setConfig(text: string, stamp: Stamp): records.Stat {
    const stat = super.setConfig(text, stamp)
    this.#record.push({ do: 'setConfig', text })
    return stat
  }

  override rollback(): void {
    super.rollback()
    this.#record.length = 0
  }
}
