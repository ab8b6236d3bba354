/** What a client tells about itself through Node's `diagnostics_channel`, to whoever subscribes. */
import { type LinkStep, type Stall } from '../session/monitor.ts'
import { type CallTrace } from '../session/call.ts'
import { type WatchEventType } from '../session/watches.ts'
import { type StateChange } from './states.ts'

/**
 * The names of the channels. `request` is a tracing channel, whose five channels Node names
 * `tracing:zoowire:request:start` and so on; the others are plain ones. What each of them publishes is
 * in {@link ChannelMessages}. No message holds the data of a znode, nor a password.
 *
 * Subscribers are called in a turn of the event loop in which the client is not in the midst of
 * something. What they throw does not reach the client: Node reports it as an uncaught exception.
 *
 * @example
 * import { subscribe, tracingChannel } from 'node:diagnostics_channel'
 * subscribe(channels.session, (message) => console.log((message as StateChange).state))
 * tracingChannel(channels.request).subscribe({ asyncEnd: (trace) => console.log(trace) })
 */
export const channels = {
  /** Each request: from the call to its answer. */
  request: 'zoowire:request',
  /** Each step of a connection. */
  connection: 'zoowire:connection',
  /** Each change of a session's state. */
  session: 'zoowire:session',
  /** Each event that a watcher is told, or is not. */
  watch: 'zoowire:watch',
  /** Each call that is made again. */
  retry: 'zoowire:retry',
  /** A server that is silent, or a process that is busy. */
  stall: 'zoowire:stall',
} as const

/** What the channels publish. */
export interface ChannelMessages {
  readonly request: RequestTrace
  readonly connection: LinkStep
  readonly session: StateChange
  readonly watch: WatchNotice
  readonly retry: RetryNotice
  readonly stall: Stall
}

/**
 * One request. At `start` only `op` and `path` are known; the rest is there at `asyncStart` and
 * `asyncEnd`. A call that is made again is several requests.
 */
export interface RequestTrace extends Readonly<CallTrace> {
  /** The operation, as ZooKeeper names it: `getData`. */
  readonly op: string
  /** As the caller wrote it; null if the operation has none. */
  readonly path: string | null
  /** What the call rejected with, if it did. */
  readonly error?: unknown
}

/** What became of something that happened to a watched znode. */
export interface WatchNotice {
  /**
   * - `event`: a watcher is told.
   * - `dropped`: it is not, since it is a watch iterator whose consumer is too far behind.
   * - `failed`: it was told, and threw.
   */
  readonly kind: 'event' | 'dropped' | 'failed'
  readonly type: WatchEventType
  /** Of the znode, as the servers know it. */
  readonly path: string
  readonly zxid: bigint | null
  /** What the watcher threw. */
  readonly error?: unknown
}

/** A call that failed, and is made again. */
export interface RetryNotice {
  readonly op: string
  readonly path: string | null
  /** Which attempt has failed, from 1. */
  readonly attempt: number
  /** Milliseconds until the next one. */
  readonly delayMs: number
  /** Why it is made again: the policy says so, or its reply was lost, and the write did not happen. */
  readonly reason: 'policy' | 'lost-reply'
  readonly error: unknown
}
