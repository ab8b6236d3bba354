/** What a session is given, and what it tells. */
import { type Credential } from './auth.ts'
import { type Hosts } from './hosts.ts'
import { type Monitor } from './monitor.ts'
import { type Ticket } from './offer.ts'
import { type PipelineLimits } from './pipeline.ts'
import { type SessionState, type Trigger } from './state.ts'
import { type Backoff } from './timing.ts'
import { type Watches } from './watches.ts'

export interface SessionOptions extends PipelineLimits {
  /** The timeout to ask for; what the server grants is in `timeoutMs`. */
  readonly sessionTimeoutMs: number
  /** How long a call may take by default. */
  readonly requestTimeoutMs: number
  /** How long `close` waits for the answer to closeSession. */
  readonly closeGraceMs: number
  /** Longer replies fail their calls with `REPLY_TOO_LARGE`. */
  readonly frameInBytesMax: number
  /** Whether a server without a quorum will do, for reads. */
  readonly readOnly: boolean
  readonly backoff: Backoff
}

/** A session that another client has handed over. */
export interface Handover extends Ticket {
  /** Servers that have seen less than that client are refused. */
  readonly lastZxid: bigint
}

/** What a session needs from its surroundings. */
export interface SessionParts {
  readonly hosts: Hosts
  readonly watches: Watches
  readonly credentials: Credential[]
  /** The session to go on with, in place of a new one. */
  readonly handover?: Handover | undefined
  readonly random: () => number
  /** Read at the first call of a batch only: one reading serves the whole batch. */
  readonly nowMs: () => number
  /**
   * Told of every change of state: before anything that follows from it is settled, but of an expiry
   * when only the calls that another session may carry out are left, and the one-shot watches.
   */
  readonly onChange: (change: SessionChange) => void
  readonly monitor: Monitor
}

export interface SessionChange {
  readonly state: SessionState
  readonly previous: SessionState
  readonly reason: Trigger
  /** What ended the connection, where something did. */
  readonly cause: unknown
}
