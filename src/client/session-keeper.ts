/**
 * Keeps a client in sessions: one at a time, the next when the servers have expired it. What must
 * outlive a session (credentials, persistent watches, calls that no server has seen) is handed on.
 */
import { type Host } from '../protocol/connect-string.ts'
import { type ErrorCode } from '../protocol/error-codes.ts'
import { isZooKeeperError, ZooKeeperError } from '../protocol/errors.ts'
import { type Access } from '../session/access.ts'
import { Credential } from '../session/auth.ts'
import { type Failure } from '../session/call.ts'
import { Driver } from '../session/driver.ts'
import { Hosts } from '../session/hosts.ts'
import { Monitor } from '../session/monitor.ts'
import { type Runtime } from '../session/runtime.ts'
import { type ServerWatches } from '../session/server-watches.ts'
import { type Handover, type SessionChange } from '../session/session-parts.ts'
import { Session } from '../session/session.ts'
import { type Watcher, Watches, type WatchEvent } from '../session/watches.ts'
import { ExportedSession } from './exported-session.ts'
import { authOf, type AuthOption } from './auth-option.ts'
import { positive } from './numbers.ts'
import { type CallOptions, checkAuth, type ClientOptions } from './options.ts'
import { noSessionError } from './no-session.ts'
import { type AbandonableCall } from './request.ts'
import { Reporter } from './reporter.ts'
import { saslProviderOf } from './sasl-option.ts'
import { Signals } from './signals.ts'
import { isFinal, type State, type StateChange, States } from './states.ts'

/** Something long-lived that ends with the client. */
export interface Ending {
  end(): void
  fail(error: unknown): void
}

export class SessionKeeper {
  readonly states = new States()
  readonly signals = new Signals()
  /** Iterators to end with the client. */
  readonly open = new Set<Ending>()
  readonly options: ClientOptions
  readonly runtime: Runtime
  readonly #hosts: Hosts
  readonly #access: Access
  #session: Session
  #driver: Driver
  readonly monitor: Monitor
  readonly reporter: Reporter
  /** The session that was told last. */
  #toldSessionId = 0n
  /** Why no further call is accepted; null while calls are. */
  #endCode: ErrorCode | null = null
  #closing: Promise<void> | null = null

  constructor(runtime: Runtime, options: ClientOptions) {
    this.runtime = runtime
    this.options = options
    this.reporter = new Reporter(options.logger)
    this.monitor = new Monitor(this.reporter.link, this.reporter.stall)
    this.#hosts = new Hosts(options.target.hosts, () => runtime.random())
    this.#access = { tls: options.tls, sasl: saslProviderOf(options.sasl, () => runtime.uuid()) }
    const credentials = options.auth.map(({ scheme, auth }) => new Credential(scheme, authOf(auth)))
    this.#session = this.#newSession(new Watches(this.#deliver), credentials, options.handover)
    this.#driver = new Driver(this.#session, runtime, this.#access)
  }

  get session(): Session {
    return this.#session
  }

  /** The servers that may be dialled. */
  get hosts(): readonly Host[] {
    return this.#hosts.list
  }

  /** Why no further call is accepted; null while calls are. */
  get endCode(): ErrorCode | null {
    return this.#endCode
  }

  /** Starts to dial; resolves with the first session. */
  async connect(signal: AbortSignal | undefined): Promise<void> {
    if (this.hosts.length > 0) this.#driver.wake() // else whoever finds the first ones does
    try {
      await this.waitFor(this.options.session.readOnly ? readable : writable, {
        signal,
        timeout: this.options.connectTimeoutMs,
      })
    } catch (error) {
      await this.close()
      throw this.#firstSessionError(error)
    }
  }

  /** Sends a request, or fails it at once if the client has ended. */
  send(request: AbandonableCall, options: CallOptions | undefined): void {
    if (this.#endCode !== null) {
      request.fail({ code: this.#endCode, outcome: 'not-applied' })
      return
    }
    if (options?.signal !== undefined || options?.timeout !== undefined) {
      if (!this.#watchOver(request, options)) return
      this.#session.submit(request, options.timeout !== undefined)
    } else {
      this.#session.submit(request)
    }
    this.#driver.wake()
  }

  /** Takes on an identity for all connections; resolves when a server has accepted it. */
  async addAuth(scheme: string, auth: AuthOption): Promise<void> {
    let settle = (_failure: Failure | undefined): void => undefined
    const settled = new Promise<Failure | undefined>((resolve) => (settle = resolve))
    const credential = new Credential(scheme, authOf(auth), settle)
    if (typeof auth === 'function') (await credential.renewal())() // else the order of calls holds
    if (this.#endCode === null) this.#session.addCredential(credential)
    else settle({ code: this.#endCode })
    this.#driver.wake()
    const failure = await settled
    if (failure !== undefined) throw new ZooKeeperError(failure.code, { ...failure, op: 'addAuth' })
  }

  /** Resolves once the state is one of `states`; rejects if that cannot happen any more. */
  waitFor(
    states: readonly State[],
    limits: CallOptions,
    source: States = this.states,
  ): Promise<void> {
    let stopListening = nothing
    const waiting = this.wait('waitFor', limits, (end) => {
      const look = (state: State) => {
        if (states.includes(state)) end()
        else if (isFinal(state)) end(this.#endError(state))
      }
      stopListening = source.listen(({ state }) => {
        look(state)
      })
      look(source.current)
    })
    return waiting.finally(stopListening)
  }

  /** Resolves once half of the room for waiting calls is free. */
  drained(limits: CallOptions): Promise<void> {
    let stopAsking = nothing
    let stopListening = nothing
    const waiting = this.wait('drained', limits, (end) => {
      const look = () => {
        stopAsking()
        const { pipeline } = this.#session
        if (this.#endCode !== null) end(new ZooKeeperError(this.#endCode, { op: 'drained' }))
        else if (pipeline.held.isRoomy) end()
        else stopAsking = pipeline.held.onRoom(look)
      }
      stopListening = this.states.listen(look) // the next session has room of its own
      look()
    })
    return waiting.finally(() => {
      stopAsking()
      stopListening()
    })
  }

  /**
   * A wait within the limits of a call. It is over when `start`, or what `start` has set going, calls
   * `end`, with the reason if it was in vain.
   */
  wait(
    op: string,
    { signal, timeout }: CallOptions,
    start: (end: (error?: ZooKeeperError) => void) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const limitMs = positive('timeout', timeout ?? this.options.session.requestTimeoutMs)
      const end = (error?: ZooKeeperError) => {
        stopSignal()
        timer.cancel()
        if (error === undefined) resolve()
        else reject(error)
      }
      const timer = this.runtime.timer(this.runtime.nowMs() + limitMs, () => {
        end(new ZooKeeperError('TIMEOUT', { op }))
      })
      const abort = (cause: unknown) => {
        end(new ZooKeeperError('ABORTED', { op, cause }))
      }
      const stopSignal = signal === undefined ? nothing : this.signals.add(signal, { abort })
      if (signal?.aborted === true) {
        abort(signal.reason)
        return
      }
      try {
        start(end)
      } catch (error) {
        end(error as ZooKeeperError)
      }
    })
  }

  /** Takes watchers back, as {@link ServerWatches.unwatch} does. */
  unwatch(...which: Parameters<ServerWatches['unwatch']>): Watcher[] {
    const removed = this.#session.pipeline.watches.unwatch(...which)
    this.#driver.wake()
    return removed
  }

  /** Takes on another list of servers, now and for every later session. */
  updateHosts(hosts: readonly Host[]): void {
    if (this.#endCode !== null) throw new ZooKeeperError(this.#endCode, { op: 'updateServers' })
    for (const { scheme } of this.#session.credentials) {
      checkAuth(scheme, hosts, this.options.sendsPasswords)
    }
    this.#session.updateHosts(this.runtime.nowMs(), hosts)
    this.#driver.wake()
  }

  /** Asks for a pass of the driver: something was done to the session. */
  wake(): void {
    this.#driver.wake()
  }

  /** Ends the client without its session. Rejects if there is none to hand over. */
  async exportSession(): Promise<ExportedSession> {
    const { handover } = this.#session
    if (this.#endCode !== null || this.#closing !== null || handover === null) {
      const code = this.#endCode ?? (handover === null ? 'UNKNOWN_SESSION' : 'CLOSED')
      const detail = 'there is no session to hand over'
      throw new ZooKeeperError(code, { op: 'exportSession', detail })
    }
    this.#closing = this.#close((nowMs) => {
      this.#session.handOver(nowMs)
    })
    await this.#closing
    // Not the one from above: answers that came since may have shown newer data.
    return new ExportedSession(this.#session.handover ?? handover, this.#session.timeoutMs)
  }

  /** Ends everything, within the close grace. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close((nowMs) => {
      this.#session.close(nowMs)
    })
    return this.#closing
  }

  async #close(end: (nowMs: number) => void): Promise<void> {
    this.#endCode ??= 'CLOSED'
    if (!isFinal(this.states.current)) {
      const closed = this.waitFor(['closed'], { timeout: Infinity }).catch(nothing)
      if (this.#session.state === 'expired') this.#publish('closed', 'close-requested', null)
      else end(this.runtime.nowMs())
      this.#driver.drive()
      await closed
    }
    this.signals.clear()
  }

  /** @returns false if the request is over before it began. */
  #watchOver(request: AbandonableCall, { signal, timeout }: CallOptions): boolean {
    if (signal?.aborted === true) {
      request.fail({ code: 'ABORTED', outcome: 'not-applied', cause: signal.reason })
      return false
    }
    request.abandon = (code, cause) => {
      this.#session.abandon(request, code, cause)
    }
    const stopSignal = signal === undefined ? nothing : this.signals.add(signal, request)
    const stopTimer = timeout === undefined ? nothing : this.#startTimer(request, timeout)
    request.release = () => {
      stopSignal()
      stopTimer()
    }
    return true
  }

  #startTimer(request: AbandonableCall, timeoutMs: number): () => void {
    const timer = this.runtime.timer(this.runtime.nowMs() + timeoutMs, () => {
      request.abandon?.('TIMEOUT')
    })
    return () => {
      timer.cancel()
    }
  }

  #newSession(watches: Watches, credentials: Credential[], handover?: Handover | null): Session {
    return new Session(this.options.session, {
      hosts: this.#hosts,
      watches,
      credentials,
      handover: handover ?? undefined,
      random: () => this.runtime.random(),
      nowMs: () => this.runtime.nowMs(),
      onChange: this.#onChange,
      monitor: this.monitor,
    })
  }

  readonly #onChange = (change: SessionChange): void => {
    const { state, reason, cause } = change
    if (state === 'closing') return
    this.#publish(state, reason, cause)
    if (state === 'expired') this.#handleExpiry(change)
  }

  #publish(state: State, reason: StateChange['reason'], cause: unknown): void {
    const { id, server } = this.#session
    const previousSessionId = this.#tell(id)
    if (state === 'auth-failed')
      this.#endCode ??= isZooKeeperError(cause) ? cause.code : 'AUTH_FAILED'
    if (state === 'closed') this.#endCode ??= 'CLOSED'
    if (isFinal(state)) this.#endIterators()
    const previous = this.states.current
    const change: StateChange = {
      state,
      previous,
      reason,
      sessionId: id,
      previousSessionId,
      server,
      cause,
    }
    this.reporter.state(change)
    this.states.publish(change)
  }

  /** @returns the session before this one, the first time that this one is told. */
  #tell(id: bigint): bigint | null {
    const told = this.#toldSessionId
    if (id === 0n || id === told) return null
    this.#toldSessionId = id
    return told === 0n ? null : told
  }

  #handleExpiry({ previous, reason, cause }: SessionChange): void {
    const expired = this.#session
    // A session that was handed over has to be there: `connect` makes no other one by stealth.
    const isFirst = previous === 'connecting'
    if (this.options.onExpired === 'close' || isFirst || this.#endCode !== null) {
      const code = reason === 'taken-over' ? 'SESSION_MOVED' : 'SESSION_EXPIRED'
      this.#endCode ??= code
      expired.pipeline.failWaiting(code)
      this.#publish('closed', reason, cause)
      return
    }
    const watches = new Watches(this.#deliver)
    watches.inherit(expired.watches)
    this.#session = this.#newSession(watches, expired.credentials)
    this.#driver = new Driver(this.#session, this.runtime, this.#access)
    this.#publish('connecting', 'renewed', null)
    for (const call of expired.pipeline.takeWaiting()) this.#session.pipeline.submit(call)
    this.#driver.wake()
  }

  #endIterators(): void {
    for (const one of [...this.open]) {
      if (this.#endCode === 'CLOSED') one.end()
      else one.fail(new ZooKeeperError(this.#endCode ?? 'CLOSED'))
    }
  }

  /** User code runs in a microtask, so never within the reading of a frame, and in wire order. */
  readonly #deliver = (watcher: Watcher, event: WatchEvent): void => {
    resolved
      .then(() => {
        this.reporter.event(event)
        return watcher(event) // an async one may reject, too
      })
      .catch((error: unknown) => {
        this.reporter.failed(event, error)
      })
  }

  #endError(state: State): ZooKeeperError {
    if (state === 'closed') return new ZooKeeperError('CLOSED', { op: 'waitFor' })
    const cause = this.#session.lastLoss
    return new ZooKeeperError(this.#endCode ?? 'AUTH_FAILED', { op: 'waitFor', cause })
  }

  #firstSessionError(error: unknown): unknown {
    if (!(error instanceof ZooKeeperError)) return error
    if (error.code === 'CLOSED' && this.#endCode === 'SESSION_EXPIRED') {
      const detail = 'the session that was handed over has expired'
      return new ZooKeeperError('SESSION_EXPIRED', { op: 'connect', detail })
    }
    const cause = this.#session.lastLoss
    if (this.states.current === 'auth-failed' && isZooKeeperError(cause)) {
      const { code, errno, server, detail } = cause
      return new ZooKeeperError(code, { op: 'connect', errno, server, detail, cause })
    }
    if (error.code !== 'TIMEOUT') return error
    return noSessionError(this.options.connectTimeoutMs, this.#session.dialling.failed)
  }
}

const writable: readonly State[] = ['connected']
const readable: readonly State[] = ['connected', 'read-only']
const resolved = Promise.resolve()
const nothing = (): void => undefined
