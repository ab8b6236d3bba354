/** Tells channels and logger what happens to a client. Silent unless somebody listens. */
import { type Channel, channel } from 'node:diagnostics_channel'
import { printable } from '../protocol/errors.ts'
import { type LinkStep, type Stall } from '../session/monitor.ts'
import { type WatchEvent } from '../session/watches.ts'
import { type ChannelMessages, channels, type RetryNotice } from './channels.ts'
import { type Logger } from './options.ts'
import { type State, type StateChange } from './states.ts'

type Level = keyof Logger

const connections = channel(channels.connection)
const sessions = channel(channels.session)
const watches = channel(channels.watch)
const retries = channel(channels.retry)
const stalls = channel(channels.stall)

const levelOfState: Record<State, Level> = {
  connecting: 'info',
  connected: 'info',
  'read-only': 'warn',
  suspended: 'warn',
  lost: 'warn',
  expired: 'error',
  'auth-failed': 'error',
  closed: 'info',
}

const resolved = Promise.resolve()

export class Reporter {
  readonly #logger: Logger | null

  constructor(logger: Logger | null) {
    this.#logger = logger
  }

  readonly link = (step: LinkStep): void => {
    this.#tell<'connection'>(connections, step, 'debug', () => {
      const { trigger, server, cause } = step
      return `${server}: ${trigger}${because(cause)}`
    })
  }

  readonly stall = (stall: Stall): void => {
    this.#tell<'stall'>(stalls, stall, 'warn', () => {
      const ms = Math.round(stall.ms)
      return stall.kind === 'server'
        ? `${stall.server ?? 'the server'} has been silent for ${ms} ms`
        : `this process was busy for ${ms} ms`
    })
  }

  state(change: StateChange): void {
    this.#tell<'session'>(sessions, change, levelOfState[change.state], () => {
      const { state, reason, sessionId, server, cause } = change
      const id = BigInt.asUintN(64, sessionId).toString(16)
      const at = server === null ? '' : ` at ${server}`
      return `session 0x${id} is ${state}${at} (${reason})${because(cause)}`
    })
  }

  retry(notice: RetryNotice): void {
    this.#tell<'retry'>(retries, notice, 'debug', () => {
      const { op, path, attempt, delayMs, error } = notice
      const call = path === null ? op : `${op} ${path}`
      return `${call}: attempt ${attempt} failed, next in ${Math.round(delayMs)} ms${because(error)}`
    })
  }

  /** A watcher is about to be told. */
  event({ type, path, zxid }: WatchEvent): void {
    if (watches.hasSubscribers) watches.publish({ kind: 'event', type, path, zxid })
  }

  /** A watch iterator is full. */
  dropped(path: string): void {
    const notice = { kind: 'dropped', type: 'overflow', path, zxid: null } as const
    this.#tell<'watch'>(
      watches,
      notice,
      'warn',
      () => `a watch of ${path} is full: events are lost`,
    )
  }

  /** A watcher threw. */
  failed({ type, path, zxid }: WatchEvent, error: unknown): void {
    const notice = { kind: 'failed', type, path, zxid, error } as const
    this.#tell<'watch'>(watches, notice, 'error', () => 'a watch callback failed', error)
  }

  /** In a microtask: what listeners do must not come in the midst of what is told. */
  #tell<Name extends keyof ChannelMessages>(
    to: Channel,
    message: ChannelMessages[Name],
    level: Level,
    text: () => string,
    ...details: unknown[]
  ): void {
    if (this.#logger === null && !to.hasSubscribers) return
    void resolved.then(() => {
      to.publish(message)
      this.#log(level, text, details)
    })
  }

  /** A logger that throws is nobody's business here. */
  #log(level: Level, text: () => string, details: readonly unknown[]): void {
    try {
      this.#logger?.[level](printable(`zoowire: ${text()}`), ...details)
    } catch {
      // It cannot be told to anybody: the logger is where it would be told.
    }
  }
}

function because(cause: unknown): string {
  return cause instanceof Error ? `: ${cause.message}` : ''
}
