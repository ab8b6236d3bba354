/**
 * One ZooKeeper session, kept alive over many connections, without sockets, timers or clocks.
 *
 * Four families of methods, as in other cores of this kind:
 * - `handle*` for what comes in: an opened link, bytes, its end, a deadline that has passed;
 * - commands of the application: `submit`, `abandon`, `addCredential`, `close`;
 * - `take*` and `wants*` for what goes out: a dial, output, the wish to be rid of the link;
 * - `nextDeadlineMs`, when it wants `handleDeadline`. Calling it early does no harm.
 *
 * It is deterministic: time comes in as `nowMs`, dice as `random`.
 */
import { formatHost, type Host } from '../protocol/connect-string.ts'
import { type ErrorCode } from '../protocol/error-codes.ts'
import { isZooKeeperError, ZooKeeperError } from '../protocol/errors.ts'
import { type ConnectRequest, type ConnectResponse } from '../protocol/handshake.ts'
import { type Credential } from './auth.ts'
import { type Call, type Failure } from './call.ts'
import { CloseCall } from './close-call.ts'
import { Connection } from './connection.ts'
import { Dialling } from './dialling.ts'
import { type DialTarget } from './hosts.ts'
import { Offer } from './offer.ts'
import { Pipeline } from './pipeline.ts'
import { Prober } from './prober.ts'
import { isSameHost } from './rebalance.ts'
import { registrationsOf } from './registration.ts'
import { type SaslChallenge, type SaslLogin } from './sasl.ts'
import { type Handover, type SessionOptions, type SessionParts } from './session-parts.ts'
import { isTerminal, sessionAfter, type SessionState, type Trigger } from './state.ts'
import { type Timing, timingOf } from './timing.ts'
import { type Watches } from './watches.ts'

type Acceptance = 'established' | 'established-read-only'

/** So often in a row may connections of a session end early that another client may use, too. */
const evictionsMax = 5

export class Session {
  /** The timeout that was granted; before that, the one that is asked for. */
  timeoutMs: number
  /** Why the last link was lost, or could not be opened. */
  lastLoss: unknown = null
  readonly dialling: Dialling
  readonly pipeline: Pipeline
  readonly watches: Watches
  readonly credentials: Credential[]

  #state: SessionState = 'connecting'
  /** It holds the session's password: private, so that nothing prints it. */
  readonly #offer: Offer
  readonly #prober = new Prober()
  /** Connections that ended early, in a row. */
  #evictions = 0
  #timing: Timing
  readonly #connection: Connection
  /** As what the server has let the session in. */
  #acceptance: Acceptance = 'established'

  // Instants on the clock of `nowMs`.
  #nowMs: number
  /** When a server with a quorum was heard last, as far as there was one. */
  #provenAtMs: number
  /** When the servers may be asked, without saying how much we have seen, whether they know us. */
  #blindAtMs = 0
  /** While the link is to be left for another server: when it is, at the latest. */
  #leaveDeadlineMs = Infinity
  #closeDeadlineMs = Infinity

  readonly #options: SessionOptions
  readonly #parts: SessionParts

  constructor(options: SessionOptions, parts: SessionParts) {
    this.#options = options
    this.#parts = parts
    this.watches = parts.watches
    this.credentials = parts.credentials
    this.timeoutMs = options.sessionTimeoutMs
    this.#timing = timingOf(this.timeoutMs, parts.hosts.count)
    const { monitor } = parts
    this.pipeline = new Pipeline(options, parts.watches, this.#handleUnwatched, monitor.counters)
    this.#connection = new Connection(options.frameInBytesMax, this.pipeline, monitor, {
      answered: (response) => this.#judge(response),
      attached: () => this.#begin(),
      moved: () => this.#handleMoved(),
      rejected: (failure) => this.#reject(failure),
    })
    this.#nowMs = parts.nowMs()
    this.#provenAtMs = this.#nowMs
    this.dialling = new Dialling(options.backoff, parts.random, this.#nowMs)
    this.#offer = new Offer(parts.handover ?? null)
    if (parts.handover !== undefined) this.pipeline.lastZxid = parts.handover.lastZxid
  }

  /** 0n until a server has opened the session. */
  get id(): bigint {
    return this.#offer.id
  }

  /** `host:port` of the attached server, or null. */
  get server(): string | null {
    return this.#connection.server
  }

  /** What another client needs to go on with the session; null while no quorum knows it. */
  get handover(): Handover | null {
    const { own } = this.#offer
    return own === null ? null : { ...own, lastZxid: this.pipeline.lastZxid }
  }

  get state(): SessionState {
    return this.#state
  }

  // --- Commands ---------------------------------------------------------------------------------

  /** Accepts a call under the default timeout, unless it brings a deadline of its own. */
  submit(call: Call, hasOwnDeadline = false): void {
    if (isTerminal(this.#state)) {
      call.fail({ code: 'CLOSED', outcome: 'not-applied' })
      return
    }
    if (!hasOwnDeadline) call.deadlineMs = this.#clock() + this.#options.requestTimeoutMs
    this.pipeline.submit(call)
  }

  /** Fails a call early. The late reply, if there is one, only keeps the order. */
  abandon(call: Call, code: ErrorCode, cause?: unknown): void {
    this.pipeline.abandon(call, code, cause)
  }

  /** Takes on an identity, now and on every later connection. */
  addCredential(credential: Credential): void {
    if (isTerminal(this.#state)) {
      credential.settle({ code: 'CLOSED' })
      return
    }
    this.credentials.push(credential)
    if (this.#connection.isAttached) this.pipeline.submit(credential.call())
  }

  /**
   * Takes on another list of servers. If this client has to move, to spread all clients evenly, it
   * leaves its server as soon as that has answered what was written.
   */
  updateHosts(nowMs: number, hosts: readonly Host[]): void {
    const mustMove = this.#parts.hosts.update(hosts)
    this.#timing = timingOf(this.timeoutMs, this.#parts.hosts.count)
    if (mustMove) this.#move(nowMs)
  }

  /** Ends the session. Waiting calls fail; written ones may still be answered within the grace. */
  close(nowMs: number): void {
    if (isTerminal(this.#state) || this.#state === 'closing') return
    this.#change('close-requested', null)
    this.pipeline.failWaiting('CLOSED')
    if (this.#state === 'closed') {
      this.#end('CLOSED')
    } else {
      this.#leaveDeadlineMs = Infinity
      this.#closeDeadlineMs = nowMs + this.#options.closeGraceMs
      this.pipeline.sendLast(new CloseCall(() => this.#finish()))
    }
  }

  /**
   * Ends as `close` does, but tells the servers nothing: another client goes on with the session. It
   * waits for the answers to what was written.
   */
  handOver(nowMs: number): void {
    this.#nowMs = nowMs
    this.#change('close-requested', null)
    this.pipeline.failWaiting('CLOSED')
    if (this.#state === 'closed') {
      this.#end('CLOSED')
    } else {
      this.pipeline.pause()
      this.#leaveDeadlineMs = nowMs + this.#options.closeGraceMs
      this.#leaveIfAnswered()
    }
  }

  // --- What goes out ----------------------------------------------------------------------------

  /** The host to open a link to now, if it is time to. */
  takeDial(nowMs: number): DialTarget | null {
    if (this.#connection.link !== 'idle' || nowMs < this.dialling.atMs) return null
    this.#nowMs = nowMs
    const target = this.#parts.hosts.next()
    this.#connection.dial(target.host, nowMs + this.#timing.dialWithinMs)
    return target
  }

  /** The parts to write to the link now, in order. `handleWritten` must follow when they left. */
  takeOutput(nowMs: number): readonly Uint8Array[] {
    this.#nowMs = nowMs
    return this.#connection.takeOutput(nowMs)
  }

  /** The host to ask now whether it can write. `handleProbe` must follow. */
  takeProbe(nowMs: number): DialTarget | null {
    if (nowMs < this.#prober.dueAtMs) return null
    const others = this.#parts.hosts.list.filter(
      (host) => !isSameHost(host, this.#connection.host!),
    )
    const host = this.#prober.take(others)
    return host === null ? null : { host, attempt: 0 }
  }

  /** Whether an answer to the probe is still of interest. */
  get isProbing(): boolean {
    return this.#state === 'read-only'
  }

  /** What the server has asked the SASL mechanism. `handleSaslAnswer` must follow on the same link. */
  takeChallenge(): SaslChallenge | null {
    return this.#connection.takeChallenge()
  }

  /** Whether the driver should destroy the link; asking answers the wish. */
  takeDrop(): boolean {
    return this.#connection.takeDrop()
  }

  get nextDeadlineMs(): number {
    const { link } = this.#connection
    if (link === 'ended') return Infinity
    return Math.min(
      link === 'idle' ? this.dialling.atMs : this.#connection.nextDeadlineMs(this.#timing),
      this.#leaveDeadlineMs,
      this.#prober.dueAtMs,
      this.#sessionDeadlineMs(),
      this.pipeline.deadlineMs,
    )
  }

  // --- What comes in ----------------------------------------------------------------------------

  /** The link is open: the handshake goes out, and then the first word of a `login`. */
  handleOpened(login: SaslLogin | null = null): void {
    this.#connection.open(this.#makeOffer(), login)
  }

  /** The output taken last has left. */
  handleWritten(): void {
    this.pipeline.releaseOutput()
  }

  /** What the SASL mechanism answers; null when the exchange is complete. */
  handleSaslAnswer(nowMs: number, token: Uint8Array | null): void {
    if (this.#connection.link !== 'authenticating') return // given up meanwhile
    this.#nowMs = nowMs
    this.#connection.handleSaslAnswer(nowMs, token)
  }

  /**
   * Bytes came in on the link: the first `length` of `bytes`. They are read in place, and no user code runs meanwhile.
   *
   * @throws {ProtocolError} if they are not ZooKeeper's. The link is worthless then: the caller
   * passes the error to `handleClosed`.
   */
  handleBytes(nowMs: number, bytes: Buffer, length: number = bytes.length): void {
    this.#nowMs = nowMs
    this.#connection.handleBytes(nowMs, bytes, length)
    this.pipeline.release()
    this.#leaveIfAnswered()
  }

  /** The link could not be opened, or it has ended. With `AUTH_FAILED`, trying again is of no use. */
  handleClosed(nowMs: number, cause: unknown): void {
    this.#nowMs = nowMs
    const { link, wantsDrop } = this.#connection
    if (link === 'ended' || wantsDrop) return // given up already
    if (isZooKeeperError(cause, 'AUTH_FAILED')) {
      this.#failAuth(cause)
      return
    }
    const isEvicted = link === 'attached' && !isZooKeeperError(cause)
    this.#loseLink(cause)
    if (isEvicted) this.#countEviction()
  }

  /** A host has answered the probe, or has not: it can write, or it cannot. */
  handleProbe(nowMs: number, host: Host, isWritable: boolean): void {
    if (!this.isProbing) return
    if (isWritable) {
      this.#parts.hosts.prefer(host)
      this.#move(nowMs)
    } else {
      this.#prober.retry(nowMs)
    }
  }

  /**
   * Time has passed. Early and repeated calls do nothing.
   *
   * `dueMs` is when this call could have been made at the earliest: if it is much later, the process
   * was busy with something else, or asleep.
   */
  handleDeadline(nowMs: number, dueMs: number = nowMs): void {
    this.#nowMs = nowMs
    const timing = this.#timing
    const connection = this.#connection
    if (connection.link === 'ended') return
    connection.tellStall(nowMs, nowMs - dueMs, timing)
    this.pipeline.expire(nowMs)
    if (nowMs >= connection.silentAtMs(timing)) this.#judgeSilence(nowMs)
    else if (nowMs >= this.#leaveDeadlineMs) this.#leave()
    else connection.pingIfDue(nowMs, timing)
    if (nowMs >= this.#sessionDeadlineMs()) this.#passSessionDeadline()
  }

  // --- Transitions ------------------------------------------------------------------------------

  #makeOffer(): ConnectRequest {
    const { id, password } = this.#offer.make(this.#connection.host!, {
      guest: this.#options.readOnly && this.dialling.hasBeenRound(this.#parts.hosts.count),
      blind: this.#state === 'lost' && this.#nowMs >= this.#blindAtMs,
    })
    const { isBlind } = this.#offer
    // It touches the session, which has to run out if the servers have gone back in time.
    if (isBlind) this.#blindAtMs = this.#nowMs + 2 * this.timeoutMs
    return {
      protocolVersion: 0,
      lastZxidSeen: isBlind ? 0n : this.pipeline.lastZxid,
      timeOut: this.#options.sessionTimeoutMs,
      sessionId: id,
      passwd: password,
      readOnly: this.#options.readOnly,
    }
  }

  /** What a server says to the offer. */
  #judge(response: ConnectResponse): void {
    const { id } = this
    const verdict = this.#offer.judge(response)
    if (this.id !== id) this.#parts.monitor.counters.sessions++
    if (verdict === 'refused' || verdict === 'data-lost') this.#expire(verdict)
    else this.#accept(verdict, response)
  }

  #accept(verdict: Acceptance, { sessionId, timeOut }: ConnectResponse): void {
    this.#acceptance = verdict
    this.timeoutMs = timeOut
    this.#timing = timingOf(timeOut, this.#parts.hosts.count)
    if (verdict === 'established') this.#provenAtMs = this.#nowMs
    this.pipeline.peer = { server: formatHost(this.#connection.host!), sessionId }
    this.#connection.accept()
  }

  /** The server has let us in. */
  #begin(): void {
    const { hosts } = this.#parts
    this.dialling.failed.clear()
    hosts.settle()
    this.pipeline.capabilities = hosts.capabilities.at(this.server!, this.#nowMs)
    if (this.#acceptance === 'established-read-only') this.#prober.start(this.#nowMs)
    this.#change(this.#acceptance, null)
    this.#introduce()
  }

  /** Tells the connection who we are and what we watch, before it gets requests. */
  #introduce(): void {
    const { pipeline } = this
    const registrations = registrationsOf(this.#options.frameOutBytesMax, {
      watches: pipeline.watches,
      submit: (calls) => pipeline.open(calls),
      unwatched: this.#handleUnwatched,
    })
    pipeline.open([...this.credentials.map((credential) => credential.call()), ...registrations])
  }

  /** Watches that a server does not set would be silent for ever: another server may do better. */
  readonly #handleUnwatched = (failure: Failure): void => {
    if (!this.#connection.isAttached || failure.code === 'CLOSED') return
    this.#giveUpLink(new ZooKeeperError(failure.code, { ...failure, op: 'setWatches' }))
  }

  /** Another connection has the session: this one is of no use any more. */
  #handleMoved(): void {
    this.#giveUpLink(new ZooKeeperError('SESSION_MOVED', { server: this.server }))
    this.#countEviction()
  }

  #giveUpLink(cause: unknown): void {
    this.#connection.wantsDrop = true
    this.#loseLink(cause)
  }

  #loseLink(cause: unknown): void {
    const connection = this.#connection
    const { dialling } = this
    const { pauseMsMax } = this.#timing
    const wasAttached = connection.isAttached
    if (connection.link === 'handshaking') this.#offer.noteSilence()
    this.lastLoss = cause ?? connection.silentLoss()
    this.#closeLink(this.lastLoss)
    if (!wasAttached) {
      dialling.noteFailed(this.#nowMs, formatHost(connection.host!), this.lastLoss, pauseMsMax)
      return
    }
    dialling.noteLost(this.#nowMs, connection.attachedForMs(this.#nowMs), pauseMsMax)
    this.#change('disconnected', this.lastLoss)
    if (this.#state === 'closed') this.#end('CLOSED')
    else this.pipeline.cut(this.lastLoss)
  }

  /**
   * Two clients of one session take it from each other for ever, and neither is told. Only a session
   * that was handed over can be in two hands, so only such a one is given up.
   */
  #countEviction(): void {
    if (this.#parts.handover === undefined || isTerminal(this.#state)) return
    const isEarly = this.#connection.attachedForMs(this.#nowMs) < this.timeoutMs
    this.#evictions = isEarly ? this.#evictions + 1 : 0
    if (this.#evictions < evictionsMax) return
    const detail = 'another client seems to use the session, too: servers end each connection soon'
    this.#expire(
      'taken-over',
      new ZooKeeperError('SESSION_MOVED', { detail, cause: this.lastLoss }),
    )
  }

  /** To another server: at once, but for the answers that this one still owes. */
  #move(nowMs: number): void {
    this.#nowMs = nowMs
    const connection = this.#connection
    if (connection.isOpening) this.#dropLink()
    if (connection.link === 'idle') {
      this.dialling.atMs = nowMs
    } else if (connection.isAttached && this.#state !== 'closing') {
      this.pipeline.pause()
      this.#leaveDeadlineMs = nowMs + this.#timing.leaveWithinMs
      this.#leaveIfAnswered()
    }
  }

  #leaveIfAnswered(): void {
    if (this.#leaveDeadlineMs !== Infinity && this.pipeline.inFlight === 0) this.#leave()
  }

  #leave(): void {
    if (this.#state === 'closing') {
      this.#finish()
      return
    }
    this.#dropLink()
    this.dialling.atMs = this.#nowMs
    this.#change('moved', null)
    this.pipeline.cut(null)
  }

  #dropLink(): void {
    this.#connection.wantsDrop = true
    this.#closeLink(null)
  }

  #closeLink(cause: unknown): void {
    // While a read-only server serves, the servers with a quorum may have expired our session.
    if (this.#state === 'connected' || this.#offer.own === null)
      this.#provenAtMs = this.#connection.heardAtMs
    this.#prober.stop()
    this.#leaveDeadlineMs = Infinity
    this.#connection.close(cause)
  }

  #judgeSilence(nowMs: number): void {
    const loss = this.#connection.judgeSilence(nowMs, this.#timing)
    if (loss !== null) this.#giveUpLink(loss)
  }

  #passSessionDeadline(): void {
    if (this.#state === 'closing') {
      this.#finish()
    } else {
      this.#change('unheard', null)
      this.pipeline.failAll('CONNECTION_LOSS')
    }
  }

  /** What no server has seen is left waiting: the next session may carry it out. */
  #expire(reason: 'refused' | 'data-lost' | 'taken-over', cause: unknown = null): void {
    this.#endLink()
    this.pipeline.failResent('SESSION_EXPIRED')
    this.#change(reason, cause)
    this.watches.endOneShots('session-expired')
  }

  /** A server has said no. */
  #reject(failure: Failure): void {
    const { peer } = this.pipeline
    this.#failAuth(new ZooKeeperError(failure.code, { ...peer, ...failure }))
  }

  #failAuth(error: ZooKeeperError): void {
    this.lastLoss = error
    this.#change('auth-rejected', error)
    this.#end(error.code)
  }

  #finish(): void {
    this.#change('close-finished', null)
    this.#end('CLOSED')
  }

  /** Nothing will be answered any more. */
  #end(code: ErrorCode): void {
    this.#endLink()
    this.pipeline.failAll(code)
    for (const credential of this.credentials) credential.settle({ code })
    this.watches.endOneShots('closed')
  }

  #endLink(): void {
    this.#leaveDeadlineMs = Infinity
    this.#prober.stop()
    this.#connection.end()
  }

  #change(reason: Trigger, cause: unknown): void {
    const previous = this.#state
    this.#state = sessionAfter(previous, reason)
    this.#parts.onChange({ state: this.#state, previous, reason, cause })
  }

  // --- Time -------------------------------------------------------------------------------------

  #clock(): number {
    if (!this.pipeline.wantsWrite) this.#nowMs = this.#parts.nowMs()
    return this.#nowMs
  }

  #sessionDeadlineMs(): number {
    if (this.#state === 'closing') return this.#closeDeadlineMs
    if (this.#state === 'suspended') return this.#provenAtMs + this.#timing.lostAfterMs
    return Infinity
  }
}
