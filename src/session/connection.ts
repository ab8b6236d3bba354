/**
 * The connection of a session: one link after the other, each from its dial to its end. What is said on
 * it before calls may be, what came in and which part of it answers calls, and whether the server is
 * still there. What follows for the session is decided by its owner.
 */
import { Reader, Writer } from '../protocol/bytes.ts'
import { formatHost, type Host } from '../protocol/connect-string.ts'
import { Xid } from '../protocol/constants.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { ProtocolError, ZooKeeperError } from '../protocol/errors.ts'
import { FrameSplitter } from '../protocol/framing.ts'
import { ConnectRequest, ConnectResponse, handshakeBytesMax } from '../protocol/handshake.ts'
import { WatcherEvent } from '../protocol/records.ts'
import { type Failure } from './call.ts'
import { Heartbeat } from './heartbeat.ts'
import { type Monitor } from './monitor.ts'
import { type Pipeline } from './pipeline.ts'
import { SaslCall, type SaslChallenge, type SaslLogin } from './sasl.ts'
import { linkAfter, type LinkState, type LinkTrigger } from './state.ts'
import { type Timing } from './timing.ts'
import { Trial } from './trial.ts'

/** Whom a connection belongs to: told while bytes are read. */
export interface ConnectionOwner {
  /**
   * The server has answered the handshake. `accept` must follow if it will do.
   *
   * @throws {ZooKeeperError} if it will not: the link is worthless.
   */
  readonly answered: (response: ConnectResponse) => void
  /** The server has let us in: it can be told who we are, what we watch, and what we want. */
  readonly attached: () => void
  /** Another connection has the session. */
  readonly moved: () => void
  /** The server does not believe who we are. */
  readonly rejected: (failure: Failure) => void
}

const replyHeaderBytes = 16
const pingFrame = Buffer.from('00000008fffffffe0000000b', 'hex')
const notReadOnly = errorCodes.NOT_READ_ONLY.errno
const authRequired = errorCodes.SESSION_CLOSED_REQUIRE_SASL_AUTH.errno
const sessionMoved = errorCodes.SESSION_MOVED.errno

/** A link on its way to be attached. */
const opening: ReadonlySet<LinkState> = new Set(['dialling', 'handshaking', 'authenticating'])

export class Connection {
  /** The host of the present link, or of the last one. */
  host: Host | null = null
  /** `host:port` of the attached server, or null. */
  server: string | null = null
  /** The session is done with the link: nothing more is read of it, and the driver destroys it. */
  wantsDrop = false

  #link: LinkState = 'idle'
  #splitter = new FrameSplitter(handshakeBytesMax)
  #handshake: Buffer | null = null
  /** The exchange to make once the handshake is done; null without SASL. */
  #login: SaslLogin | null = null
  /** What the mechanism has still to answer. */
  #challenge: SaslChallenge | null = null
  readonly #heartbeat = new Heartbeat()
  readonly #trial = new Trial()
  /** A liveness deadline has passed: judged only after another chance to read. */
  #isSuspect = false
  #nowMs = 0
  #dialDeadlineMs = Infinity

  readonly #reader = new Reader()
  readonly #frameBytesMax: number
  readonly #pipeline: Pipeline
  readonly #monitor: Monitor
  readonly #owner: ConnectionOwner

  constructor(frameBytesMax: number, pipeline: Pipeline, monitor: Monitor, owner: ConnectionOwner) {
    this.#frameBytesMax = frameBytesMax
    this.#pipeline = pipeline
    this.#monitor = monitor
    this.#owner = owner
  }

  get link(): LinkState {
    return this.#link
  }

  get isAttached(): boolean {
    return this.#link === 'attached'
  }

  get isOpening(): boolean {
    return opening.has(this.#link)
  }

  /** When the last server that was attached was heard last. */
  get heardAtMs(): number {
    return this.#heartbeat.heardAtMs
  }

  /** How long the present link, or the last one that was, has been attached. */
  attachedForMs(nowMs: number): number {
    return nowMs - this.#heartbeat.attachedAtMs
  }

  // --- From the dial to the end -------------------------------------------------------------------

  dial(host: Host, deadlineMs: number): void {
    this.host = host
    this.#move('dialled')
    this.#dialDeadlineMs = deadlineMs
  }

  /** The link is open: the handshake goes out, and then the first word of a `login`. */
  open(request: ConnectRequest, login: SaslLogin | null): void {
    this.#move('opened')
    this.#login = login
    this.#splitter = new FrameSplitter(handshakeBytesMax)
    const writer = new Writer(64)
    const start = writer.beginFrame()
    ConnectRequest.write(writer, request)
    writer.endFrame(start, handshakeBytesMax)
    this.#handshake = writer.written
  }

  /** The server knows the session; it may still want to know who we are. */
  accept(): void {
    this.#heartbeat.forgetPing()
    this.#splitter.frameBytesMax = this.#frameBytesMax
    if (this.#login === null) {
      this.#attach('accepted')
    } else {
      this.#move('sasl-begun')
      this.#say(this.#login.exchange.initialResponse)
    }
  }

  /** The link has ended, or could not be opened, or is to be dropped: there may be another. */
  close(cause: unknown): void {
    const wasAuthenticating = this.#link === 'authenticating'
    this.#move('failed', cause)
    if (wasAuthenticating) this.#pipeline.cut(null)
    this.#forget()
  }

  /** There will be no other link. */
  end(): void {
    this.#move('ended')
    this.wantsDrop = true
    this.#forget()
  }

  /** Servers say nothing when they refuse a handshake, so this names what it may have been. */
  silentLoss(): ZooKeeperError {
    const detail = this.isAttached
      ? 'the server closed the connection'
      : 'the server closed the connection during the handshake: it may have too many connections, ' +
        'no quorum, less data than this client has seen, or expect TLS or a client certificate'
    return new ZooKeeperError('CONNECTION_LOSS', { detail, server: this.server })
  }

  #attach(trigger: 'accepted' | 'sasl-finished'): void {
    this.#move(trigger)
    this.#monitor.counters.connections++
    this.server = formatHost(this.host!)
    this.#heartbeat.start(this.#nowMs)
    this.#owner.attached()
  }

  /** What the link was still to send, or to be answered, goes with it. */
  #forget(): void {
    this.server = null
    this.#handshake = null
    this.#login = null
    this.#challenge = null
    this.#isSuspect = false
  }

  #move(trigger: LinkTrigger, cause: unknown = null): void {
    const link = linkAfter(this.#link, trigger)
    this.#link = link
    if (this.host === null) return
    this.#monitor.onLink({ link, trigger, server: formatHost(this.host), cause })
  }

  // --- What goes out ------------------------------------------------------------------------------

  /** The parts to write to the link now, in order. */
  takeOutput(nowMs: number): readonly Uint8Array[] {
    const { counters } = this.#monitor
    if (this.#handshake !== null) {
      const parts = [this.#handshake]
      this.#handshake = null
      counters.framesOut++
      counters.bytesOut += parts[0]!.length
      return parts
    }
    if (this.#link !== 'attached' && this.#link !== 'authenticating') return []
    const parts = this.#pipeline.wantsWrite ? this.#pipeline.take() : []
    if (this.#heartbeat.takePing(nowMs)) {
      counters.framesOut++
      parts.unshift(pingFrame) // ahead of traffic: whatever waits, the server hears from us
    }
    if (parts.length > 0) {
      this.#heartbeat.send(nowMs)
      for (const part of parts) counters.bytesOut += part.length
      this.#trial.note(this.#pipeline.onTrial, nowMs)
    }
    return parts
  }

  /** What the server has asked the SASL mechanism. `handleSaslAnswer` must follow on the same link. */
  takeChallenge(): SaslChallenge | null {
    const challenge = this.#challenge
    this.#challenge = null
    return challenge
  }

  takeDrop(): boolean {
    const { wantsDrop } = this
    this.wantsDrop = false
    return wantsDrop
  }

  // --- What comes in ------------------------------------------------------------------------------

  /** @throws {ProtocolError} if the bytes are not ZooKeeper's: the link is worthless. */
  handleBytes(nowMs: number, bytes: Buffer, length: number): void {
    this.#nowMs = nowMs
    // A peer that does not get through the handshake proves nothing about the session.
    if (this.#link === 'attached') this.#heartbeat.hear(nowMs)
    this.#isSuspect = false
    this.#monitor.counters.bytesIn += length
    this.#splitter.push(bytes, length)
    // A frame may make the session give the link up: what follows in the same read belongs to nobody.
    while (!this.wantsDrop && this.#splitter.next()) this.#handleFrame(this.#splitter)
    this.#trial.note(this.#pipeline.onTrial, nowMs)
  }

  #handleFrame({ bytes, start, end, length }: FrameSplitter): void {
    this.#monitor.counters.framesIn++
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
    this.#owner.answered(ConnectResponse.read(reader))
  }

  #handleReply(reader: Reader, oversizeLength: number): void {
    const at = reader.take(16)
    const xid = reader.view.getInt32(at)
    const zxidHigh = reader.view.getInt32(at + 4)
    const zxidLow = reader.view.getInt32(at + 8)
    const err = reader.view.getInt32(at + 12)
    if (err === authRequired) {
      this.#owner.rejected({ code: 'SESSION_CLOSED_REQUIRE_SASL_AUTH' })
    } else if (xid > 0 && oversizeLength > 0) {
      this.#pipeline.handleOversizeReply(xid, zxidHigh, zxidLow, err, oversizeLength)
    } else if (oversizeLength > 0) {
      throw new ProtocolError(`a frame announces ${oversizeLength} bytes`)
    } else if (xid > 0) {
      this.#pipeline.handleReply(xid, zxidHigh, zxidLow, err, reader)
      if (err === sessionMoved) this.#owner.moved()
    } else {
      this.#handleSpecial(xid, reader.view.getBigInt64(at + 4), err, reader)
    }
  }

  /** Frames that answer no ordinary request. */
  #handleSpecial(xid: number, zxid: bigint, err: number, reader: Reader): void {
    const { counters } = this.#monitor
    if (xid === Xid.notification) {
      const event = WatcherEvent.read(reader)
      counters.ignoredBytes += reader.remaining
      const isWanted = this.#pipeline.watches.notify(event, zxid > 0n ? zxid : null)
      if (!isWanted) counters.ignoredEvents++
    } else if (xid === Xid.ping) {
      counters.pings++
      counters.pingMs = this.#heartbeat.handlePong(this.#nowMs)
    } else if (xid === Xid.auth) {
      this.#pipeline.handleAuthReply(err, reader)
      if (err !== 0) this.#owner.rejected({ code: 'AUTH_FAILED', errno: err })
    } else {
      throw new ProtocolError(`reply ${xid} answers no request`)
    }
  }

  // --- SASL ---------------------------------------------------------------------------------------

  /** What the SASL mechanism answers; null when the exchange is complete. */
  handleSaslAnswer(nowMs: number, token: Uint8Array | null): void {
    this.#nowMs = nowMs
    if (token === null) this.#attach('sasl-finished')
    else this.#say(token)
  }

  /** One step of the exchange. The next answer of the mechanism comes by `handleSaslAnswer`. */
  #say(token: Uint8Array): void {
    const challenged = (challenge: SaslChallenge) => {
      this.#challenge = challenge
    }
    const rejected = (failure: Failure) => {
      const detail = `the server rejected the ${this.#login!.mechanism} authentication`
      this.#owner.rejected({ ...failure, code: 'AUTH_FAILED', detail })
    }
    this.#pipeline.sendFirst(new SaslCall(token, challenged, rejected))
  }

  // --- Time ---------------------------------------------------------------------------------------

  /** When a link is to be looked at again; `Infinity` if there is none. */
  nextDeadlineMs(timing: Timing): number {
    const silentAtMs = this.silentAtMs(timing)
    if (!this.isAttached) return silentAtMs
    return Math.min(
      silentAtMs,
      this.#heartbeat.quietAtMs(timing),
      this.#heartbeat.pingDueMs(timing),
    )
  }

  /** When the link counts as dead, or as of no use for what the server is asked. */
  silentAtMs(timing: Timing): number {
    if (this.isAttached) {
      const heartbeat = this.#heartbeat
      return Math.min(heartbeat.silentAtMs(timing), this.#trial.endsAtMs(heartbeat, timing))
    }
    return this.isOpening ? this.#dialDeadlineMs : Infinity
  }

  pingIfDue(nowMs: number, timing: Timing): void {
    if (this.isAttached && nowMs >= this.#heartbeat.pingDueMs(timing)) this.#heartbeat.askForPing()
  }

  /**
   * It is past `silentAtMs`, but an answer may be waiting to be read.
   *
   * @returns why the link is to be given up, when it was so before, and was read since.
   */
  judgeSilence(nowMs: number, timing: Timing): ZooKeeperError | null {
    if (!this.#isSuspect) {
      this.#isSuspect = true
      return null
    }
    return new ZooKeeperError('TIMEOUT', {
      detail: this.#silenceAt(nowMs, timing),
      server: this.server,
    })
  }

  #silenceAt(nowMs: number, timing: Timing): string {
    if (!this.isAttached) return 'the connection took too long to open'
    if (nowMs >= this.#heartbeat.silentAtMs(timing)) return 'the server is silent'
    const ignored = this.#pipeline.onTrial!
    this.#pipeline.noteIgnored(ignored)
    return `the server does not answer ${ignored.operation.name}`
  }

  /** Tells of a deadline that passed late, or of a server that has become quiet. */
  tellStall(nowMs: number, lateMs: number, timing: Timing): void {
    const { server } = this
    if (lateMs >= timing.lateAfterMs) {
      this.#heartbeat.noteStall(nowMs)
      this.#monitor.onStall({ kind: 'event-loop', ms: lateMs, server })
    } else if (this.isAttached && nowMs >= this.#heartbeat.quietAtMs(timing)) {
      const ms = this.#heartbeat.tellSilence(nowMs)
      this.#monitor.onStall({ kind: 'server', ms, server })
    }
  }
}
