/** What servers do to their data: a change that is decided once, and answered where it was asked for. */
import { type Link } from './link.ts'
import { type LogEntry } from './operation-log.ts'
import { errnoOf } from './refusal.ts'
import { type Stamp, type Tree } from './tree.ts'

/** The znodes and the sessions that a change can be made to. */
export interface Ledger {
  readonly tree: Tree
  openSession(id: bigint, timeoutMs: number): void
  endSession(id: bigint): void
}

/** What has become of an attempt: a result, or the error code to answer. */
export type Outcome<T> =
  { readonly err: 0; readonly result: T } | { readonly err: number; readonly result: null }

export interface Write<T> {
  /** The connection that asks for it; null for what no client asked for. */
  readonly link: Link | null
  /** Whether it is done even if the session of the connection has moved to another server. */
  readonly isAnybodys?: boolean
  /** Makes the change, or throws. */
  readonly change: (ledger: Ledger, stamp: Stamp) => T
  /** Called when the server of the connection has seen it happen, or fail. */
  readonly answer: (outcome: Outcome<T>) => void
  /** How it is remembered. */
  readonly entry: (outcome: Outcome<T>, zxid: bigint) => LogEntry
}

export function attempt<T>(run: () => T): Outcome<T> {
  try {
    return { err: 0, result: run() }
  } catch (error) {
    return { err: errnoOf(error), result: null }
  }
}

/** Runs `write` under `stamp`: if it fails, nothing has happened. */
export function attemptWrite<T>(write: Write<T>, ledger: Ledger, stamp: Stamp): Outcome<T> {
  const outcome = attempt(() => write.change(ledger, stamp))
  if (outcome.err !== 0) ledger.tree.rollback()
  return outcome
}
