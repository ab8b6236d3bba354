import { type Counters } from '../session/monitor.ts'
import { type Session } from '../session/session.ts'
import { type TableName } from '../session/watches.ts'
import { type State } from './states.ts'

/**
 * A snapshot of a client: what is now, and counts since it was made, over all its sessions and
 * connections. Views of a client share its session, and so its numbers.
 */
export interface ClientStats {
  readonly state: State
  /** `host:port` of the server that serves the client now, or null. */
  readonly server: string | null
  readonly sessionId: bigint
  /** Requests without a reply. */
  readonly inFlight: number
  /** Calls that wait for a link or for room, and their bytes. */
  readonly waiting: { readonly calls: number; readonly bytes: number }
  /** Paths that are watched, by kind: `exist` are the watches on znodes that are missing. */
  readonly watches: Readonly<Record<TableName, number>>
  /** Sessions that servers have opened. */
  readonly sessions: number
  /** Connections that servers have accepted after the first one. */
  readonly reconnects: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly framesIn: number
  readonly framesOut: number
  /**
   * Requests by what became of them, the client's own (watches after a reconnect, say) included, and
   * each attempt of a call apart.
   */
  readonly requests: {
    /** Answered. That there is no such znode is an answer to `exists`. */
    readonly succeeded: number
    /** Failed with `outcome: 'applied'`, and so on. */
    readonly applied: number
    readonly notApplied: number
    readonly unknown: number
  }
  /** What servers said that this client has no use for. */
  readonly ignored: {
    /** Events that nobody waits for, such as those of watches that were taken back. */
    readonly events: number
    /** Bytes behind the fields that this client knows: newer servers may say more. */
    readonly bytes: number
  }
  /** Pings that were answered. They are sent when there is nothing else to send. */
  readonly pings: number
  /** Milliseconds that the last ping took to be answered; null before the first. */
  readonly pingMs: number | null
}

export function statsOf(state: State, session: Session, counters: Counters): ClientStats {
  const { pipeline, watches, server, id } = session
  const { connections, sessions, bytesIn, bytesOut, framesIn, framesOut, ...rest } = counters
  const { pings, pingMs, ignoredEvents, ignoredBytes, ...requests } = rest
  return {
    state,
    server,
    sessionId: id,
    inFlight: pipeline.inFlight,
    waiting: pipeline.held.counts,
    watches: watches.counts,
    sessions,
    reconnects: Math.max(0, connections - 1),
    bytesIn,
    bytesOut,
    framesIn,
    framesOut,
    requests,
    ignored: { events: ignoredEvents, bytes: ignoredBytes },
    pings,
    pingMs,
  }
}
