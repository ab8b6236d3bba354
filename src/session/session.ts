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
import { Reader, Writer } from '../protocol/bytes.ts'
import { formatHost, type Host } from '../protocol/connect-string.ts'
import { Xid } from '../protocol/constants.ts'
import { type ErrorCode, errorCodes } from '../protocol/error-codes.ts'
import { isZooKeeperError, ProtocolError, ZooKeeperError } from '../protocol/errors.ts'
import { FrameSplitter } from '../protocol/framing.ts'
import { ConnectRequest, ConnectResponse, handshakeBytesMax } from '../protocol/handshake.ts'
import { operations } from '../protocol/operations.ts'
import { WatcherEvent } from '../protocol/records.ts'
import { type Credential } from './auth.ts'
import { Call, type Failure } from './call.ts'
import { Heartbeat } from './heartbeat.ts'
import { type DialTarget, type Hosts } from './hosts.ts'
import { type Counters, type Monitor } from './monitor.ts'
import { Offer, type Ticket } from './offer.ts'
import { Pipeline, type PipelineLimits } from './pipeline.ts'
import { Prober } from './prober.ts'
import { isSameHost } from './rebalance.ts'
import { RegistrationCall } from './registration.ts'
import { SaslCall, type SaslChallenge, type SaslLogin } from './sasl.ts'
import {
  isTerminal,
  linkAfter,
  type LinkState,
  type LinkTrigger,
  sessionAfter,
  type SessionState,
  type Trigger,
} from './state.ts'
import { type Backoff, dialPauseMs, type Timing, timingOf } from './timing.ts'
import { type TableName, type Watcher, type Watches } from './watches.ts'

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
   * after, when only the calls that another session may carry out are left.
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

const replyHeaderBytes = 16
const notReadOnly = errorCodes.NOT_READ_ONLY.errno
type Acceptance = 'established' | 'established-read-only'

/** A link on its way to be attached. */
const opening: ReadonlySet<LinkState> = new Set(['dialling', 'handshaking', 'authenticating'])
const pingFrame = Buffer.from('00000008fffffffe0000000b', 'hex')
const authRequired = errorCodes.SESSION_CLOSED_REQUIRE_SASL_AUTH.errno
const sessionMoved = errorCodes.SESSION_MOVED.errno

/** So often in a row may connections of a session end early that another client may use, too. */
const evictionsMax = 5

export class Session {
  /** The timeout that was granted; before that, the one that is asked for. */
  timeoutMs: number
  /** `host:port` of the attached server, or null. */
  server: string | null = null
  /** Why the last link was lost, or could not be opened. */
  lastLoss: unknown = null
  /** Why each host could not be attached to since one was, the latest reason of each. */
  readonly failedDials = new Map<string, unknown>()
  readonly pipeline: Pipeline
  readonly watches: Watches
  readonly credentials: Credential[]

  #state: SessionState = 'connecting'
  #link: LinkState = 'idle'
  #wantsDrop = false
  /** It holds the session's password: private, so that nothing prints it. */
  readonly #offer: Offer
  readonly #prober = new Prober()
  #host: Host | null = null
  #failures = 1
  /** Connections that ended early, in a row. */
  #evictions = 0
  #timing: Timing
  #splitter = new FrameSplitter(handshakeBytesMax)
  #handshake: Buffer | null = null
  /** The exchange to make once the handshake is done; null without SASL. */
  #login: SaslLogin | null = null
  /** What the mechanism has still to answer. */
  #challenge: SaslChallenge | null = null
  /** As what the server has let the session in. */
  #acceptance: Acceptance = 'established'
  readonly #heartbeat = new Heartbeat()
  /** A liveness deadline has passed: judged only after another chance to read. */
  #isSuspect = false

  // Instants on the clock of `nowMs`.
  #nowMs: number
  #dialAtMs: number
  #dialDeadlineMs = Infinity
  /** When a server with a quorum was heard last, as far as there was one. */
  #provenAtMs: number
  /** When the servers may be asked, without saying how much we have seen, whether they know us. */
  #blindAtMs = 0
  /** While the link is to be left for another server: when it is, at the latest. */
  #leaveDeadlineMs = Infinity
  #closeDeadlineMs = Infinity

  readonly #reader = new Reader()
  readonly #options: SessionOptions
  readonly #parts: SessionParts
  readonly #counters: Counters

  constructor(options: SessionOptions, parts: SessionParts) {
    this.#options = options
    this.#parts = parts
    this.watches = parts.watches
    this.credentials = parts.credentials
    this.timeoutMs = options.sessionTimeoutMs
    this.#counters = parts.monitor.counters
    this.#timing = timingOf(this.timeoutMs, parts.hosts.count)
    this.pipeline = new Pipeline(options, parts.watches, this.#handleUnwatched, this.#counters)
    this.#nowMs = parts.nowMs()
    this.#provenAtMs = this.#nowMs
    this.#dialAtMs = this.#nowMs
    this.#offer = new Offer(parts.handover ?? null)
    if (parts.handover !== undefined) this.pipeline.lastZxid = parts.handover.lastZxid
  }

  /** 0n until a server has opened the session. */
  get id(): bigint {
    return this.#offer.id
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
    if (this.#link === 'attached') this.pipeline.submit(credential.call())
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

  /**
   * Takes watchers of a path back: they are not called any more. `settled` is told once the server
   * watches no more than is wanted, which it does at once without a connection, or why it goes on.
   *
   * @returns those that were taken back.
   */
  unwatch(
    tables: readonly TableName[],
    path: string,
    matches: (watcher: Watcher) => boolean,
    settled?: (failure: Failure | null) => void,
  ): Watcher[] {
    const found = tables.map((table) => this.watches.remove(table, path, matches))
    const emptied = tables.filter((_, index) => found[index]!.length > 0)
    if (emptied.length > 0) this.pipeline.watches.release(emptied, path, settled)
    return found.flat()
  }

  /** Tells one-shot watchers that their end has come, and takes them back. */
  endWatches(concerns: (watcher: Watcher) => boolean): void {
    for (const { table, path } of this.watches.endOneShots('closed', concerns)) {
      this.pipeline.watches.release([table], path)
    }
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
    if (this.#link !== 'idle' || nowMs < this.#dialAtMs) return null
    this.#nowMs = nowMs
    const target = this.#parts.hosts.next()
    this.#host = target.host
    this.#moveLink('dialled')
    this.#dialDeadlineMs = nowMs + this.#timing.dialWithinMs
    return target
  }

  /** The parts to write to the link now, in order. `handleWritten` must follow when they left. */
  takeOutput(nowMs: number): readonly Uint8Array[] {
    this.#nowMs = nowMs
    if (this.#handshake !== null) {
      const parts = [this.#handshake]
      this.#handshake = null
      this.#counters.framesOut++
      this.#counters.bytesOut += parts[0]!.length
      return parts
    }
    if (this.#link !== 'attached' && this.#link !== 'authenticating') return []
    const parts = this.pipeline.wantsWrite ? this.pipeline.take() : []
    if (this.#heartbeat.takePing(nowMs)) {
      this.#counters.framesOut++
      parts.unshift(pingFrame) // ahead of traffic: whatever waits, the server hears from us
    }
    if (parts.length > 0) {
      this.#heartbeat.send(nowMs)
      for (const part of parts) this.#counters.bytesOut += part.length
    }
    return parts
  }

  /** The host to ask now whether it can write. `handleProbe` must follow. */
  takeProbe(nowMs: number): DialTarget | null {
    if (nowMs < this.#prober.dueAtMs) return null
    const others = this.#parts.hosts.list.filter((host) => !isSameHost(host, this.#host!))
    const host = this.#prober.take(others)
    return host === null ? null : { host, attempt: 0 }
  }

  /** Whether an answer to the probe is still of interest. */
  get isProbing(): boolean {
    return this.#state === 'read-only'
  }

  /** What the server has asked the SASL mechanism. `handleSaslAnswer` must follow on the same link. */
  takeChallenge(): SaslChallenge | null {
    const challenge = this.#challenge
    this.#challenge = null
    return challenge
  }

  /** Whether the driver should destroy the link; asking answers the wish. */
  takeDrop(): boolean {
    const wantsDrop = this.#wantsDrop
    this.#wantsDrop = false
    return wantsDrop
  }

  get nextDeadlineMs(): number {
    if (this.#link === 'ended') return Infinity
    const linkMs = Math.min(this.#linkDeadlineMs(), this.#prober.dueAtMs)
    return Math.min(linkMs, this.#sessionDeadlineMs(), this.pipeline.deadlineMs)
  }

  // --- What comes in ----------------------------------------------------------------------------

  /** The link is open: the handshake goes out, and then the first word of a `login`. */
  handleOpened(login: SaslLogin | null = null): void {
    this.#moveLink('opened')
    this.#login = login
    const { id, password } = this.#offer.make(this.#host!, {
      guest: this.#options.readOnly && this.#failures > this.#parts.hosts.count,
      blind: this.#state === 'lost' && this.#nowMs >= this.#blindAtMs,
    })
    const { isBlind } = this.#offer
    // It touches the session, which has to run out if the servers have gone back in time.
    if (isBlind) this.#blindAtMs = this.#nowMs + 2 * this.timeoutMs
    this.#splitter = new FrameSplitter(handshakeBytesMax)
    const writer = new Writer(64)
    const start = writer.beginFrame()
    ConnectRequest.write(writer, {
      protocolVersion: 0,
      lastZxidSeen: isBlind ? 0n : this.pipeline.lastZxid,
      timeOut: this.#options.sessionTimeoutMs,
      sessionId: id,
      passwd: password,
      readOnly: this.#options.readOnly,
    })
    writer.endFrame(start, handshakeBytesMax)
    this.#handshake = writer.written
  }

  /** The output taken last has left. */
  handleWritten(): void {
    this.pipeline.releaseOutput()
  }

  /** What the SASL mechanism answers; null when the exchange is complete. */
  handleSaslAnswer(nowMs: number, token: Uint8Array | null): void {
    if (this.#link !== 'authenticating') return // given up meanwhile
    this.#nowMs = nowMs
    if (token === null) this.#attach('sasl-finished')
    else this.#say(token)
  }

  /**
   * Bytes came in on the link: the first `length` of `bytes`. They are read in place, and no user code runs meanwhile.
   *
   * @throws {ProtocolError} if they are not ZooKeeper's. The link is worthless then: the caller
   * passes the error to `handleClosed`.
   */
  handleBytes(nowMs: number, bytes: Buffer, length: number = bytes.length): void {
    this.#nowMs = nowMs
    // A peer that does not get through the handshake proves nothing about the session.
    if (this.#link === 'attached') this.#heartbeat.hear(nowMs)
    this.#isSuspect = false
    this.#counters.bytesIn += length
    this.#splitter.push(bytes, length)
    // A frame may make the session give the link up: what follows in the same read belongs to nobody.
    while (!this.#wantsDrop && this.#splitter.next()) this.#handleFrame(this.#splitter)
    this.pipeline.release()
    this.#leaveIfAnswered()
  }

  /** The link could not be opened, or it has ended. With `AUTH_FAILED`, trying again is of no use. */
  handleClosed(nowMs: number, cause: unknown): void {
    this.#nowMs = nowMs
    if (this.#link === 'ended' || this.#wantsDrop) return // given up already
    if (isZooKeeperError(cause, 'AUTH_FAILED')) {
      this.#failAuth(cause)
      return
    }
    const isEvicted = this.#link === 'attached' && !isZooKeeperError(cause)
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
    if (this.#link === 'ended') return
    this.#tellStall(nowMs, nowMs - dueMs)
    this.pipeline.expire(nowMs)
    if (nowMs >= this.#livenessDeadlineMs()) this.#judgeLiveness()
    else if (nowMs >= this.#leaveDeadlineMs) this.#leave()
    else if (nowMs >= this.#pingDueMs()) this.#heartbeat.askForPing()
    if (nowMs >= this.#sessionDeadlineMs()) this.#passSessionDeadline()
  }

  // --- Frames -----------------------------------------------------------------------------------

  #handleFrame({ bytes, start, end, length }: FrameSplitter): void {
    this.#counters.framesIn++
    const reader = this.#reader.reset(bytes, start, end)
    if (this.#link === 'attached') this.#handleReply(reader, length > end - start ? length : 0)
    else if (this.#link === 'authenticating') this.#handleReply(reader, 0)
    else this.#handleHandshake(reader, length)
  }

  #handleHandshake(reader: Reader, length: number): void {
    if (length > handshakeBytesMax) throw new ProtocolError('the peer is not a ZooKeeper server')
    if (length === replyHeaderBytes && reader.view.getInt32(reader.offset + 12) === notReadOnly) {
      const detail = 'the server has no quorum, and opens no sessions'
      throw new ZooKeeperError('NOT_READ_ONLY', { detail })
    }
    const response = ConnectResponse.read(reader)
    const { id } = this
    const verdict = this.#offer.judge(response)
    if (this.id !== id) this.#counters.sessions++
    if (verdict === 'refused' || verdict === 'data-lost') this.#expire(verdict)
    else this.#accept(verdict, response)
  }

  #handleReply(reader: Reader, oversizeLength: number): void {
    const at = reader.take(16)
    const xid = reader.view.getInt32(at)
    const zxidHigh = reader.view.getInt32(at + 4)
    const zxidLow = reader.view.getInt32(at + 8)
    const err = reader.view.getInt32(at + 12)
    if (err === authRequired) {
      this.#reject({ code: 'SESSION_CLOSED_REQUIRE_SASL_AUTH' })
    } else if (xid > 0 && oversizeLength > 0) {
      this.pipeline.handleOversizeReply(xid, zxidHigh, zxidLow, err, oversizeLength)
    } else if (oversizeLength > 0) {
      throw new ProtocolError(`a frame announces ${oversizeLength} bytes`)
    } else if (xid > 0) {
      this.pipeline.handleReply(xid, zxidHigh, zxidLow, err, reader)
      if (err === sessionMoved) this.#handleMoved()
    } else {
      this.#handleSpecial(xid, reader.view.getBigInt64(at + 4), err, reader)
    }
  }

  /** Frames that answer no ordinary request. */
  #handleSpecial(xid: number, zxid: bigint, err: number, reader: Reader): void {
    if (xid === Xid.notification) {
      this.pipeline.watches.notify(WatcherEvent.read(reader), zxid > 0n ? zxid : null)
    } else if (xid === Xid.ping) {
      this.#counters.pings++
      this.#counters.pingMs = this.#heartbeat.handlePong(this.#nowMs)
    } else if (xid === Xid.auth) {
      this.pipeline.handleAuthReply(err, reader)
      if (err !== 0) this.#reject({ code: 'AUTH_FAILED', errno: err })
    } else {
      throw new ProtocolError(`reply ${xid} answers no request`)
    }
  }

  // --- Transitions ------------------------------------------------------------------------------

  /** The server knows the session; it may still want to know who we are. */
  #accept(verdict: Acceptance, { sessionId, timeOut }: ConnectResponse): void {
    this.#acceptance = verdict
    this.timeoutMs = timeOut
    this.#timing = timingOf(timeOut, this.#parts.hosts.count)
    this.#heartbeat.forgetPing()
    this.#splitter.frameBytesMax = this.#options.frameInBytesMax
    this.pipeline.peer = { server: formatHost(this.#host!), sessionId }
    if (this.#login === null) {
      this.#attach('accepted')
    } else {
      if (verdict === 'established') this.#provenAtMs = this.#nowMs
      this.#moveLink('sasl-begun')
      this.#say(this.#login.exchange.initialResponse)
    }
  }

  /** One step of the SASL exchange. The next answer of the mechanism comes by `handleSaslAnswer`. */
  #say(token: Uint8Array): void {
    const challenged = (challenge: SaslChallenge) => {
      this.#challenge = challenge
    }
    const rejected = (failure: Failure) => {
      const detail = `the server rejected the ${this.#login!.mechanism} authentication`
      this.#reject({ ...failure, code: 'AUTH_FAILED', detail })
    }
    this.pipeline.sendFirst(new SaslCall(token, challenged, rejected))
  }

  #attach(trigger: 'accepted' | 'sasl-finished'): void {
    this.#moveLink(trigger)
    this.#counters.connections++
    this.server = this.pipeline.peer.server
    this.failedDials.clear()
    this.#parts.hosts.settle()
    this.#heartbeat.start(this.#nowMs)
    this.pipeline.capabilities = this.#parts.hosts.capabilities.at(this.server!, this.#nowMs)
    if (this.#acceptance === 'established-read-only') this.#prober.start(this.#nowMs)
    this.#change(this.#acceptance, null)
    this.#introduce()
  }

  /** Tells the connection who we are and what we watch, before it gets requests. */
  #introduce(): void {
    const { pipeline } = this
    const chunks = pipeline.watches.attach(this.#options.frameOutBytesMax)
    const registrar = {
      watches: pipeline.watches,
      submit: (calls: readonly Call[]) => {
        pipeline.open(calls)
      },
      unwatched: this.#handleUnwatched,
    }
    pipeline.open([
      ...this.credentials.map((credential) => credential.call()),
      ...chunks.map((chunk) => new RegistrationCall(chunk, registrar)),
    ])
  }

  /** Watches that a server does not set would be silent for ever: another server may do better. */
  readonly #handleUnwatched = (failure: Failure): void => {
    if (this.#link !== 'attached' || failure.code === 'CLOSED') return
    this.#giveUpLink(new ZooKeeperError(failure.code, { ...failure, op: 'setWatches' }))
  }

  /** Another connection has the session: this one is of no use any more. */
  #handleMoved(): void {
    this.#giveUpLink(new ZooKeeperError('SESSION_MOVED', { server: this.server }))
    this.#countEviction()
  }

  #giveUpLink(cause: unknown): void {
    this.#wantsDrop = true
    this.#loseLink(cause)
  }

  #loseLink(cause: unknown): void {
    const wasAttached = this.#link === 'attached'
    if (this.#link === 'handshaking') this.#offer.noteSilence()
    this.lastLoss = cause ?? this.#silentLoss()
    this.#closeLink(this.lastLoss)
    if (!wasAttached) this.failedDials.set(formatHost(this.#host!), this.lastLoss)
    // A link that broke at once was no success: else a server that accepts and drops would be
    // dialled without a pause for ever.
    const { msMin, msMax } = this.#options.backoff
    const backoff = { msMin, msMax: Math.min(msMax, this.#timing.pauseMsMax) }
    if (wasAttached && this.#nowMs - this.#heartbeat.attachedAtMs >= backoff.msMin)
      this.#failures = 0
    this.#dialAtMs = this.#nowMs + dialPauseMs(this.#failures, this.#parts.random(), backoff)
    this.#failures++
    if (!wasAttached) return
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
    const isEarly = this.#nowMs - this.#heartbeat.attachedAtMs < this.timeoutMs
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
    if (opening.has(this.#link)) {
      this.#wantsDrop = true
      this.#closeLink(null)
    }
    if (this.#link === 'idle') {
      this.#dialAtMs = nowMs
    } else if (this.#link === 'attached' && this.#state !== 'closing') {
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
    this.#wantsDrop = true
    this.#closeLink(null)
    this.#dialAtMs = this.#nowMs
    this.#change('moved', null)
    this.pipeline.cut(null)
  }

  #closeLink(cause: unknown): void {
    // While a read-only server serves, the servers with a quorum may have expired our session.
    if (this.#state === 'connected' || this.#offer.own === null)
      this.#provenAtMs = this.#heartbeat.heardAtMs
    this.#prober.stop()
    const wasAuthenticating = this.#link === 'authenticating'
    this.#moveLink('failed', cause)
    if (wasAuthenticating) this.pipeline.cut(null)
    this.server = null
    this.#forgetOpening()
    this.#isSuspect = false
    this.#leaveDeadlineMs = Infinity
  }

  /** Servers say nothing when they refuse a handshake, so this names what it may have been. */
  #silentLoss(): ZooKeeperError {
    const detail =
      this.#link === 'attached'
        ? 'the server closed the connection'
        : 'the server closed the connection during the handshake: it may have too many connections, ' +
          'no quorum, less data than this client has seen, or expect TLS or a client certificate'
    return new ZooKeeperError('CONNECTION_LOSS', { detail, server: this.server })
  }

  #judgeLiveness(): void {
    if (!this.#isSuspect) {
      this.#isSuspect = true
      return
    }
    const isAttached = this.#link === 'attached'
    const detail = isAttached ? 'the server is silent' : 'the connection took too long to open'
    this.#giveUpLink(new ZooKeeperError('TIMEOUT', { detail, server: this.server }))
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
    this.watches.endOneShots('session-expired')
    this.#change(reason, cause)
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
    this.#moveLink('ended')
    this.#wantsDrop = true
    this.server = null
    this.#forgetOpening()
  }

  /** What the link was still to send, or to be answered, before it was open to calls. */
  #forgetOpening(): void {
    this.#handshake = null
    this.#login = null
    this.#challenge = null
  }

  #change(reason: Trigger, cause: unknown): void {
    const previous = this.#state
    this.#state = sessionAfter(previous, reason)
    this.#parts.onChange({ state: this.#state, previous, reason, cause })
  }

  #moveLink(trigger: LinkTrigger, cause: unknown = null): void {
    const link = linkAfter(this.#link, trigger)
    this.#link = link
    const server = this.#host === null ? null : formatHost(this.#host)
    if (server !== null) this.#parts.monitor.onLink({ link, trigger, server, cause })
  }

  #tellStall(nowMs: number, lateMs: number): void {
    const { monitor } = this.#parts
    if (lateMs >= this.#timing.lateAfterMs) {
      this.#heartbeat.noteStall(nowMs)
      monitor.onStall({ kind: 'event-loop', ms: lateMs, server: this.server })
    } else if (nowMs >= this.#quietAtMs()) {
      const ms = this.#heartbeat.tellSilence(nowMs)
      monitor.onStall({ kind: 'server', ms, server: this.server })
    }
  }

  // --- Time -------------------------------------------------------------------------------------

  #clock(): number {
    if (!this.pipeline.wantsWrite) this.#nowMs = this.#parts.nowMs()
    return this.#nowMs
  }

  #linkDeadlineMs(): number {
    if (this.#link === 'idle') return this.#dialAtMs
    return Math.min(
      this.#livenessDeadlineMs(),
      this.#quietAtMs(),
      this.#pingDueMs(),
      this.#leaveDeadlineMs,
    )
  }

  #quietAtMs(): number {
    return this.#link === 'attached' ? this.#heartbeat.quietAtMs(this.#timing) : Infinity
  }

  #livenessDeadlineMs(): number {
    if (this.#link === 'attached') return this.#heartbeat.silentAtMs(this.#timing)
    return this.#link === 'idle' ? Infinity : this.#dialDeadlineMs
  }

  #pingDueMs(): number {
    return this.#link === 'attached' ? this.#heartbeat.pingDueMs(this.#timing) : Infinity
  }

  #sessionDeadlineMs(): number {
    if (this.#state === 'closing') return this.#closeDeadlineMs
    if (this.#state === 'suspended') return this.#provenAtMs + this.#timing.lostAfterMs
    return Infinity
  }
}

class CloseCall extends Call {
  readonly #done: () => void

  constructor(done: () => void) {
    super(operations.closeSession, undefined, '', null)
    this.#done = done
  }

  override succeed(): void {
    this.#done()
  }

  /** Closing does not fail: without an answer the session ends by its timeout. */
  override fail(): void {
    // The link has ended, and with it the session.
  }
}
