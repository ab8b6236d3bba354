/** What a client's sessions show of themselves to those who watch over them. It changes nothing. */
import { type LinkState, type LinkTrigger } from './state.ts'

/** What happened since the client was made, over all its sessions and connections. */
export interface Counters {
  bytesIn: number
  bytesOut: number
  framesIn: number
  framesOut: number
  /** Connections that a server has accepted. */
  connections: number
  sessions: number
  /** Pings that were answered, and the milliseconds that the last one took. */
  pings: number
  pingMs: number | null
  /** What servers said that this client has no use for: bytes behind the fields that it knows, … */
  ignoredBytes: number
  /** … and events that nobody waits for. */
  ignoredEvents: number
  // Calls, by what was told of them.
  succeeded: number
  applied: number
  notApplied: number
  unknown: number
}

/** One step of a connection. */
export interface LinkStep {
  readonly link: LinkState
  readonly trigger: LinkTrigger
  /** `host:port` of the server. */
  readonly server: string
  /** What ended it, where something did. */
  readonly cause: unknown
}

/** Something that should have happened has not. */
export interface Stall {
  /**
   * - `event-loop`: this process was busy or asleep, so that a deadline passed late.
   * - `server`: the server has not said anything for half of the session timeout.
   */
  readonly kind: 'event-loop' | 'server'
  /** By how much the deadline was late, or how long the server has been silent. Milliseconds. */
  readonly ms: number
  /** `host:port` of the server, if there is a connection. */
  readonly server: string | null
}

export class Monitor {
  readonly counters: Counters = {
    bytesIn: 0,
    bytesOut: 0,
    framesIn: 0,
    framesOut: 0,
    connections: 0,
    sessions: 0,
    pings: 0,
    pingMs: null,
    ignoredBytes: 0,
    ignoredEvents: 0,
    succeeded: 0,
    applied: 0,
    notApplied: 0,
    unknown: 0,
  }
  readonly onLink: (step: LinkStep) => void
  readonly onStall: (stall: Stall) => void

  constructor(
    onLink: (step: LinkStep) => void = nothing,
    onStall: (stall: Stall) => void = nothing,
  ) {
    this.onLink = onLink
    this.onStall = onStall
  }
}

const nothing = (): void => undefined
