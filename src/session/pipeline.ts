/**
 * Calls on their way to the server and back, in call order throughout:
 *
 *          submit ─┬──────────────┐
 *                  ▼              ▼
 *     held  [ h₃ h₂ h₁ ] ──▶ batch [ b₂ b₁ ] ──take──▶ written [ w₃ w₂ w₁ ] ──▶ reply
 *     no link, or no room     encoded, this turn        the server owes w₁ next
 *     └──────────── not-applied ──────────────┘         └────── unknown ──────┘
 *
 * ZooKeeper answers in order, so the reply at hand belongs to the oldest written call or the
 * connection is worthless. When a connection is cut, reads go back to the front of `held`, writes
 * that a server may have seen fail, and everything else waits for the next connection.
 */
import { type Reader, type Writer } from '../protocol/bytes.ts'
import { Xid, xidMax } from '../protocol/constants.ts'
import { type ErrorCode, errorCodeOf, errorCodes } from '../protocol/error-codes.ts'
import { ProtocolError, ZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { type AddWatchRequest } from '../protocol/records.ts'
import { Batch } from './batch.ts'
import { ServerCapabilities } from './capabilities.ts'
import { CallQueue } from './call-queue.ts'
import { type Call, type CallTrace, type Failure, Phase } from './call.ts'
import { callsDue, deadlineOf } from './deadlines.ts'
import { fateOf, outcomeOf, unknownFailure } from './outcome.ts'
import { copyFrame, encodeFrame, newWriter } from './frame.ts'
import { HeldCalls } from './held-calls.ts'
import { type Counters } from './monitor.ts'
import { ServerWatches } from './server-watches.ts'
import { type TableName, tableOfMode, type Watches } from './watches.ts'

export interface PipelineLimits {
  /** Requests without a reply, batched or written. Further calls wait. */
  readonly inFlightMax: number
  /** Bytes of calls that wait for a link or for room. Further calls fail with `QUEUE_FULL`. */
  readonly queuedBytesMax: number
  /** Bytes of one request. Longer ones fail with `REQUEST_TOO_LARGE`. */
  readonly frameOutBytesMax: number
}

/** Bytes handed to the socket at a time: a ping never waits behind more than this. */
const batchBytesMax = 256 * 1024

const noNode = errorCodes.NO_NODE.errno
const unimplemented = errorCodes.UNIMPLEMENTED.errno

const prefixBytes = 4
const replyHeaderBytes = 16

export class Pipeline {
  /** Whom the calls in flight were sent to, for their errors. */
  peer: { readonly server: string | null; readonly sessionId: bigint | null }

  /** What is known of the server of the present connection, or of the last one. */
  capabilities = new ServerCapabilities()

  // The last zxid seen in a reply, as two halves: a bigint per reply would cost more than the rest.
  #zxidHigh = 0
  #zxidLow = 0
  #xid = 0
  #isOpen = false
  /** A request that may cost the connection: nothing else is sent until it is answered. */
  #alone: Call | null = null
  /** What waits; whoever wants to know how much does, or when there is room again, may ask. */
  readonly held: HeldCalls
  #scratch: Writer | null = null
  readonly #batch: Batch
  readonly #written = new CallQueue()
  /** Auth replies overtake others, so they are matched among themselves. */
  readonly #auths = new CallQueue()
  readonly watches: ServerWatches
  readonly #limits: PipelineLimits
  readonly #counters: Counters

  /** `lose` is told if the present connection turns out to be worthless. */
  constructor(
    limits: PipelineLimits,
    watches: Watches,
    lose: (failure: Failure) => void,
    counters: Counters,
  ) {
    this.#limits = limits
    this.held = new HeldCalls(limits.queuedBytesMax)
    this.#counters = counters
    const submit = (call: Call) => {
      this.submit(call)
    }
    this.watches = new ServerWatches(watches, { submit, lose, lastZxid: () => this.lastZxid })
    this.#batch = new Batch(limits.frameOutBytesMax)
    this.peer = { server: null, sessionId: null }
  }

  get lastZxid(): bigint {
    return (BigInt(this.#zxidHigh) << 32n) | BigInt(this.#zxidLow >>> 0)
  }

  set lastZxid(zxid: bigint) {
    this.#zxidHigh = Number(zxid >> 32n)
    this.#zxidLow = Number(BigInt.asIntN(32, zxid))
  }

  get inFlight(): number {
    return this.#batch.calls.length + this.#written.length
  }

  get wantsWrite(): boolean {
    return this.#batch.length > 0
  }

  get deadlineMs(): number {
    return Math.min(deadlineOf(this.#written), deadlineOf(this.#batch.calls), deadlineOf(this.held))
  }

  /** Accepts a call. It leaves in the order of `submit`, at once if there is a link with room. */
  submit(call: Call): void {
    if (this.held.length === 0 && this.#hasRoomFor(call)) this.#send(call)
    else this.#hold(call)
  }

  /** A link is up. `first` goes out before anything that waits. */
  open(first: readonly Call[]): void {
    this.#isOpen = true
    this.held.prepend(first)
    this.release()
  }

  /** Further calls wait for the next link; those that were sent may still be answered. */
  pause(): void {
    this.#isOpen = false
  }

  /** Lets waiting calls out while there is room. */
  release(): void {
    const { held } = this
    while (held.length > 0 && this.#hasRoomFor(held.at(0))) {
      const call = held.shift()
      if (call.phase !== Phase.settled) this.#send(call)
    }
    held.tellRoom()
  }

  /** Sends a call before the link is open to others. */
  sendFirst(call: Call): void {
    this.#send(call)
  }

  /** Sends a call now whatever is in flight: for the closeSession that ends the pipeline. */
  sendLast(call: Call): void {
    this.#send(call)
    this.#isOpen = false
  }

  /**
   * Takes the batch, which from this moment on a server may see.
   *
   * @returns the parts to write in order; none if there is nothing to write.
   */
  take(): Uint8Array[] {
    const { parts, calls } = this.#batch.take()
    this.#counters.framesOut += calls.length
    for (const call of calls) {
      call.phase = Phase.written
      if (call.operation === operations.auth) this.#auths.push(call)
      else this.#written.push(call)
    }
    if (parts.length > 0) return parts
    this.releaseOutput() // the whole batch was abandoned: what waited for its room gets it
    return this.wantsWrite ? this.take() : []
  }

  /** The parts taken last have left. */
  releaseOutput(): void {
    this.#batch.release()
    this.release()
  }

  /**
   * Settles the oldest written call with its reply.
   *
   * @throws {ProtocolError} if the reply is not the one that is due, or cannot be decoded.
   */
  handleReply(xid: number, zxidHigh: number, zxidLow: number, err: number, reader: Reader): void {
    if (err === unimplemented && zxidHigh === -1 && zxidLow === -1) {
      this.#handleUnknown(xid)
      return
    }
    const call = this.#takeDue(xid)
    this.#seeZxid(zxidHigh, zxidLow)
    if (call.trace !== null) this.#trace(call, call.trace, reader.remaining)
    this.#settle(call, err, reader)
  }

  /**
   * The server does not know an operation, and closes the connection. It says so at once, ahead of
   * what it still owes to others.
   */
  #handleUnknown(xid: number): void {
    const call = [...this.#written].find((one) => one.xid === xid)
    if (call === undefined) throw new ProtocolError(`reply ${xid} answers no request`)
    this.#failUnknown(call)
  }

  #failUnknown(call: Call): void {
    this.capabilities.refuse(call.operation)
    if (call.phase !== Phase.settled) this.#fail(call, unknownFailure(call.operation))
  }

  /** The call whose answer is due next, if the server may not know its operation. */
  get onTrial(): Call | null {
    if (this.#written.length === 0) return null
    const call = this.#written.at(0)
    const { operation } = call
    return operation.isPrompt && !this.capabilities.isKnown(operation) ? call : null
  }

  /**
   * The server goes on, but does not answer this call. Nobody knows what it made of a write, nor whether
   * it only waits for others: that is evidence, and the call fails with its connection.
   */
  noteIgnored(call: Call): void {
    if (call.operation.effect !== 'write') this.#failUnknown(call)
  }

  /** Settles the oldest auth packet. An unasked-for reply is none of the pipeline's business. */
  handleAuthReply(err: number, reader: Reader): void {
    if (this.#auths.length > 0) this.#settle(this.#auths.shift(), err, reader)
  }

  /** A reply was too long to keep. It fails its call alone, if the call is due. */
  handleOversizeReply(
    xid: number,
    zxidHigh: number,
    zxidLow: number,
    err: number,
    length: number,
  ): void {
    const call = this.#takeDue(xid)
    this.#seeZxid(zxidHigh, zxidLow)
    this.#noteAnswer(call)
    if (call.setsWatch) this.watches.answered(call, err === 0, false)
    if (call.phase === Phase.settled) return
    if (call.trace !== null) this.#trace(call, call.trace, length - replyHeaderBytes)
    const outcome = outcomeOf(call, err)
    const detail = `the reply has ${length} bytes, more than frameInBytesMax`
    this.#fail(call, { code: 'REPLY_TOO_LARGE', outcome, detail })
  }

  /** Fails a call early, because its signal fired or its own timeout is over. */
  abandon(call: Call, code: ErrorCode, cause?: unknown): void {
    if (call.phase === Phase.settled) return
    if (call.phase === Phase.batched) this.#drop(call)
    if (call.phase === Phase.held) this.held.forget(call)
    this.#failUnanswered(call, { code, cause })
    this.held.sweep()
  }

  /** Abandons all calls that `concerns` picks. */
  abandonAll(concerns: (call: Call) => boolean, code: ErrorCode): void {
    for (const call of [...this.#written, ...this.#batch.calls, ...this.held]) {
      if (concerns(call)) this.abandon(call, code)
    }
  }

  /** Fails the calls whose default timeout is over. */
  expire(nowMs: number): void {
    for (const queue of [this.#written, this.#batch.calls, this.held]) {
      for (const call of callsDue(queue, nowMs)) this.abandon(call, 'TIMEOUT')
    }
  }

  /** The link is gone: what a server may have seen fails, except for reads; the rest waits. */
  cut(cause: unknown): void {
    this.#isOpen = false
    this.#alone = null
    this.watches.detach()
    if (this.#written.length > 0) this.capabilities.blame(this.#written.at(0).operation)
    const unanswered = [...this.#auths.drain(), ...this.#written.drain()]
    const waiting: Call[] = []
    const failed: Call[] = []
    for (const call of [...unanswered, ...this.#batch.drain(), ...this.held.drain()]) {
      if (call.phase === Phase.settled) continue
      const isSeen = call.phase === Phase.written
      const { effect } = call.operation
      if (effect === 'read' || (effect === 'write' && !isSeen)) {
        call.isResent ||= isSeen
        waiting.push(call)
      } else {
        failed.push(call)
      }
    }
    for (const call of waiting) this.held.push(call)
    for (const call of failed) this.#failUnanswered(call, { code: 'CONNECTION_LOSS', cause })
  }

  /** Fails every call that no server has seen, and forgets them. */
  failWaiting(code: ErrorCode, cause?: unknown): void {
    for (const call of this.takeWaiting()) this.#failUnanswered(call, { code, cause })
  }

  /** Fails the waiting calls that an earlier connection has sent already. */
  failResent(code: ErrorCode): void {
    for (const call of [...this.held].filter(({ isResent }) => isResent)) this.abandon(call, code)
  }

  /** Fails everything, whatever a server has seen of it. */
  failAll(code: ErrorCode, cause?: unknown): void {
    this.watches.detach()
    this.watches.forgetGaps()
    const unanswered = [...this.#auths.drain(), ...this.#written.drain()]
    for (const call of [...unanswered, ...this.takeWaiting()]) {
      if (call.phase !== Phase.settled) this.#failUnanswered(call, { code, cause })
    }
  }

  /** Takes out the calls that no server has seen, for another session to carry out. */
  takeWaiting(): Call[] {
    const calls = [...this.#batch.drain(), ...this.held.drain()]
    this.held.tellRoom()
    return calls.filter((call) => call.phase !== Phase.settled)
  }

  #hasRoomFor({ operation }: Call): boolean {
    return (
      this.#isOpen &&
      this.#alone === null &&
      this.#batch.length < batchBytesMax &&
      this.inFlight < this.#limits.inFlightMax &&
      (operation.isUniversal || this.inFlight === 0 || !this.capabilities.isSuspect(operation))
    )
  }

  #send(call: Call): void {
    if (!call.operation.isUniversal && !this.#dares(call)) return
    if (call.setsWatch) {
      this.#sendWatch(call)
      return
    }
    const xid = call.operation === operations.auth ? Xid.auth : this.#nextXid()
    try {
      this.#add(call, xid, call.request)
    } catch (error) {
      this.#refuse(call, error)
    }
  }

  #add(call: Call, xid: number, request: unknown): void {
    this.#batch.add(call, xid, request)
    const { operation } = call
    if (!operation.isUniversal && this.capabilities.isSuspect(operation)) this.#alone = call
  }

  /** Whether an operation that not every server knows may be sent. If not, its call has failed. */
  #dares(call: Call): boolean {
    const { capabilities } = this
    if (capabilities.isRefused(call.operation)) {
      this.#fail(call, unknownFailure(call.operation))
      return false
    }
    return true
  }

  /** A request about watches must fit to what the server watches when it gets there. */
  #sendWatch(call: Call): void {
    const request = this.watches.shape(call)
    if (request === null) {
      call.phase = Phase.settled
      return
    }
    try {
      this.#add(call, this.#nextXid(), request)
      this.watches.sent(call)
    } catch (error) {
      this.#refuse(call, error)
    }
  }

  #drop(call: Call): void {
    this.#batch.drop()
    if (call.setsWatch) this.watches.unsent(call)
  }

  /** Writes are encoded now, so that the caller may reuse its data; reads when their turn comes. */
  #hold(call: Call): void {
    try {
      if (call.operation.effect === 'write') call.frame ??= this.#encodeAlone(call)
    } catch (error) {
      this.#refuse(call, error)
      return
    }
    if (this.held.admits(call)) this.held.push(call)
    else this.#failUnanswered(call, { code: 'QUEUE_FULL' })
  }

  #encodeAlone(call: Call) {
    const writer = (this.#scratch ??= newWriter())
    writer.rewind(0)
    encodeFrame(writer, call, call.request, 0, this.#limits.frameOutBytesMax)
    return copyFrame(writer, 0, writer.offset)
  }

  /** A request that cannot be written is its caller's mistake, not the connection's. */
  #refuse(call: Call, error: unknown): void {
    if (error instanceof ZooKeeperError) {
      this.#failUnanswered(call, { code: error.code, detail: error.detail })
    } else {
      const detail = error instanceof Error ? error.message : 'the request cannot be encoded'
      this.#failUnanswered(call, { code: 'BAD_ARGUMENTS', detail, cause: error })
    }
  }

  #nextXid(): number {
    this.#xid = xidAfter(this.#xid)
    return this.#xid
  }

  #takeDue(xid: number): Call {
    const queue = this.#written
    if (queue.length === 0) throw new ProtocolError(`reply ${xid} answers no request`)
    const due = queue.at(0)
    if (due.xid === xid) return queue.shift()
    const wasSkipped = this.onTrial === due && [...queue].some((call) => call.xid === xid)
    if (wasSkipped) this.noteIgnored(due)
    throw new ProtocolError(`reply ${xid} came where ${due.xid} was due`)
  }

  #settle(call: Call, err: number, reader: Reader): void {
    this.#noteAnswer(call)
    if (call.setsWatch) this.#noteWatch(call, err)
    if (call.phase === Phase.settled) return // abandoned; its reply only keeps the order
    if (err !== 0) {
      this.#fail(call, { code: errorCodeOf(err), errno: err, outcome: outcomeOf(call, err) })
      return
    }
    let response: unknown
    try {
      response = call.operation.response.read(reader)
    } catch (error) {
      this.#fail(call, { code: 'PROTOCOL_ERROR', outcome: outcomeOf(call, 0), cause: error })
      throw error
    }
    call.phase = Phase.settled
    this.#counters.succeeded++
    this.#counters.ignoredBytes += reader.remaining
    if (call.trace !== null) call.trace.outcome = 'succeeded'
    call.succeed(response)
  }

  #noteAnswer(call: Call): void {
    if (call.operation.isUniversal) return
    this.capabilities.prove(call.operation)
    if (call === this.#alone) this.#alone = null
  }

  /** Whoever waits for the watch is noted before the answer is told, so that nothing comes between. */
  #noteWatch(call: Call, err: number): void {
    const isMissing = err === noNode && call.operation === operations.exists
    const isSet = err === 0 || isMissing
    const isWanted = isSet && call.watcher !== null && call.phase !== Phase.settled
    if (isWanted) {
      this.watches.wanted.add(isMissing ? 'exist' : tableOf(call), call.path, call.watcher!)
    }
    this.watches.answered(call, isSet, isWanted)
  }

  /** The zxid is the last one that was seen, which this reply has if it is not behind others. */
  #trace({ xid }: Call, trace: CallTrace, bodyBytes: number): void {
    trace.xid = xid
    trace.zxid = this.lastZxid
    trace.bytesIn = prefixBytes + replyHeaderBytes + bodyBytes
    trace.server = this.peer.server
    trace.sessionId = this.peer.sessionId
  }

  #failUnanswered(call: Call, failure: Failure): void {
    const isSeen = call.phase === Phase.written || call.isResent
    this.#fail(call, { ...failure, outcome: isSeen ? 'unknown' : 'not-applied' })
  }

  #fail(call: Call, failure: Failure): void {
    if (call === this.#alone) this.#alone = null
    call.phase = Phase.settled
    const fate = fateOf(call, failure)
    this.#counters[fate === 'not-applied' ? 'notApplied' : fate]++
    if (call.trace !== null) {
      call.trace.outcome = fate
      call.trace.code = fate === 'succeeded' ? null : failure.code
    }
    call.fail({ ...this.peer, ...failure })
  }

  /** Never goes back: a server that is behind would otherwise be believed after a reconnect. */
  #seeZxid(high: number, low: number): void {
    if (high > this.#zxidHigh || (high === this.#zxidHigh && low >>> 0 > this.#zxidLow >>> 0)) {
      this.#zxidHigh = high
      this.#zxidLow = low
    }
  }
}

/** From 1 up, and round to 1 again: xids from 0 down have meanings of their own. */
export function xidAfter(xid: number): number {
  return xid === xidMax ? 1 : xid + 1
}

/** In which table a successful call puts its watcher. */
function tableOf({ operation, request }: Call): TableName {
  const kind = operation.watch!
  return kind === 'persistent' ? tableOfMode((request as AddWatchRequest).mode) : kind
}
