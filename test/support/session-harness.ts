/**
 * One session with a clock that the test moves and a server that the test plays. What a driver and a
 * socket do happens here in the same order, at once and in no real time.
 */
import { type Codec, Reader, Writer } from '../../src/protocol/bytes.ts'
import { type Host } from '../../src/protocol/connect-string.ts'
import { FrameSplitter } from '../../src/protocol/framing.ts'
import { ConnectRequest, ConnectResponse } from '../../src/protocol/handshake.ts'
import { type Operation, operationByCode, operations } from '../../src/protocol/operations.ts'
import { ReplyHeader, RequestHeader, WatcherEvent } from '../../src/protocol/records.ts'
import { type Credential } from '../../src/session/auth.ts'
import { Hosts } from '../../src/session/hosts.ts'
import { type LinkStep, Monitor, type Stall } from '../../src/session/monitor.ts'
import { type SaslLogin } from '../../src/session/sasl.ts'
import {
  type Handover,
  type SessionChange,
  type SessionOptions,
} from '../../src/session/session-parts.ts'
import { Session } from '../../src/session/session.ts'
import { Watches } from '../../src/session/watches.ts'
import { responseTo, type TestCall } from './test-call.ts'

/** With it a ping is due after 4 s, a silent link dead after 8 s, and the session lost after 16 s. */
export const sessionTimeoutMs = 12_000

export const sessionId = 0x0100_1234_5678_0000n
export const password = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

export const defaultOptions: SessionOptions = {
  sessionTimeoutMs,
  requestTimeoutMs: 30_000,
  closeGraceMs: 2_000,
  frameInBytesMax: 4 * 1024 * 1024,
  frameOutBytesMax: 1_048_575,
  inFlightMax: 8_192,
  queuedBytesMax: 64 * 1024 * 1024,
  readOnly: false,
  backoff: { msMin: 100, msMax: 10_000 },
}

export interface HarnessOptions extends Partial<SessionOptions> {
  /** Dialled in this order. */
  readonly hosts?: readonly string[]
  readonly credentials?: Credential[]
  readonly handover?: Handover
  /** What each link begins with behind its handshake. */
  readonly login?: SaslLogin | null
}

/** A frame as the server got it. */
export interface SentFrame {
  /** 0 for a handshake, which has none. */
  readonly xid: number
  readonly operation: Operation
  /** Operation and path, such as `getData /a`. */
  readonly text: string
  readonly request: any
  readonly bytes: Buffer
}

export interface Dial {
  readonly name: string
  readonly attempt: number
  readonly atMs: number
}

interface Answer {
  readonly err?: number
  readonly zxid?: bigint
  /** Null for a reply that is only its header. */
  readonly body?: unknown
}

/** Every read overwrites the one before it, as the sockets' one read buffer does. */
const readBuffer = Buffer.alloc(64 * 1024, 0xee)

const connectRequest: Operation = { ...operations.ping, name: 'connect', path: null }

export class Harness {
  readonly session: Session
  readonly watches: Watches
  readonly changes: SessionChange[] = []
  readonly links: LinkStep[] = []
  readonly stalls: Stall[] = []
  readonly monitor = new Monitor(
    (step) => this.links.push(step),
    (stall) => this.stalls.push(stall),
  )
  readonly dials: Dial[] = []
  /** Hosts that were asked whether they can write. */
  readonly probes: { readonly host: Host; readonly atMs: number }[] = []
  /** Links that the session wished to be rid of. */
  drops = 0
  nowMs = 5_000
  /** What the session throws when it throws dice. */
  dice = 0.5
  /** The socket is full: it keeps the memory of a write until `flush`. */
  isStalled = false
  /** The zxid of ordinary replies. */
  zxid = 1n
  readonly #login: SaslLogin | null
  #link: 'none' | 'dialling' | 'open' = 'none'
  #isWriting = false
  #isHandshaken = false
  /** What the server will still get of this link before it breaks. */
  #bytesUntilCut = Infinity
  #received: SentFrame[] = []
  /** What the server has still to answer, in order. */
  #owed: SentFrame[] = []
  #splitter = new FrameSplitter(Infinity)

  constructor({
    hosts = ['zk1', 'zk2', 'zk3'],
    credentials = [],
    handover,
    login = null,
    ...options
  }: HarnessOptions = {}) {
    this.#login = login
    this.watches = new Watches((watcher, event) => {
      watcher(event)
    })
    const inGivenOrder = () => 1 - Number.EPSILON
    this.session = new Session(
      { ...defaultOptions, ...options },
      {
        hosts: new Hosts(
          hosts.map((name) => ({ name, port: 2181 })),
          inGivenOrder,
        ),
        watches: this.watches,
        credentials,
        handover,
        random: () => this.dice,
        nowMs: () => this.nowMs,
        onChange: (change) => this.changes.push(change),
        monitor: this.monitor,
      },
    )
  }

  /** A session that is connected, and has sent nothing yet but its handshake. */
  static connected(options?: HarnessOptions): Harness {
    const harness = new Harness(options)
    harness.connect()
    harness.takeSent()
    return harness
  }

  get states(): string[] {
    return this.changes.map(({ state }) => state)
  }

  get link(): 'none' | 'dialling' | 'open' {
    return this.#link
  }

  /** The oldest request that has no answer yet. */
  get due(): SentFrame | undefined {
    return this.#owed[0]
  }

  // --- The application --------------------------------------------------------------------------

  /** Hands calls in. They are sent when the turn is over. */
  submit<T extends readonly TestCall[]>(...calls: T): T {
    for (const call of calls) this.session.submit(call)
    return calls
  }

  /** Ends the turn: whatever the session wants done is done. */
  turn(): this {
    if (this.session.takeDrop()) {
      this.drops++
      this.#closeLink()
    }
    const dial = this.session.takeDial(this.nowMs)
    if (dial !== null) {
      this.dials.push({ name: dial.host.name, attempt: dial.attempt, atMs: this.nowMs })
      this.#link = 'dialling'
    }
    const probe = this.session.takeProbe(this.nowMs)
    if (probe !== null) this.probes.push({ host: probe.host, atMs: this.nowMs })
    while (this.#link === 'open' && !this.#isWriting && this.#write());
    if (this.#link !== 'open' || this.#bytesUntilCut > 0) return this
    return this.cut(new Error('cut in the midst of a write'))
  }

  /** Answers the last probe, or lets it go unanswered. */
  answerProbe(isWritable: boolean): this {
    this.session.handleProbe(this.nowMs, this.probes.at(-1)!.host, isWritable)
    return this.turn()
  }

  close(): this {
    this.session.close(this.nowMs)
    return this.turn()
  }

  /** Lets time pass; the session is woken whenever it wishes to be. */
  advance(ms: number): this {
    const endMs = this.nowMs + ms
    for (let atMs = this.session.nextDeadlineMs; atMs <= endMs;) {
      this.nowMs = Math.max(this.nowMs, atMs)
      this.session.handleDeadline(this.nowMs)
      this.turn()
      atMs = this.session.nextDeadlineMs
    }
    this.nowMs = endMs
    return this
  }

  /** Lets time pass until the session wishes to be woken. */
  wake(): this {
    return this.advance(Math.max(0, this.session.nextDeadlineMs - this.nowMs))
  }

  // --- The server -------------------------------------------------------------------------------

  /** Waits for a dial and completes its handshake. */
  connect(response: Partial<ConnectResponse> = {}): this {
    return this.open().accept(response)
  }

  /** Waits for a dial, which succeeds: the handshake is sent. */
  open(): this {
    this.turn()
    while (this.#link === 'none' && this.session.nextDeadlineMs < Infinity) this.wake()
    if (this.#link !== 'dialling') throw new Error('nothing was dialled')
    this.#link = 'open'
    this.#isHandshaken = false
    this.session.handleOpened(this.#login)
    return this.turn()
  }

  accept(response: Partial<ConnectResponse> = {}): this {
    this.receive(handshakeOf(response))
    return this
  }

  /** A server says that the session is gone. */
  refuse(): this {
    return this.accept({ timeOut: 0, sessionId: 0n, passwd: Buffer.alloc(16) })
  }

  /** The connection ends, or cannot be opened. */
  cut(cause: unknown = null): this {
    this.#closeLink()
    this.session.handleClosed(this.nowMs, cause)
    return this.turn()
  }

  /** Answers the oldest request that has no answer yet. */
  answer({ err = 0, zxid = this.zxid, body }: Answer = {}): this {
    const due = this.#owed.shift()
    if (due === undefined) throw new Error('the server owes nothing')
    const { response } = due.operation
    const value = body === undefined ? responseTo(due.operation) : body
    const hasBody = err === 0 && body !== null
    this.receive(reply({ xid: due.xid, zxid, err }, hasBody ? response : null, value))
    return this
  }

  /** Answers everything that has no answer yet. */
  answerAll(): this {
    while (this.#owed.length > 0) this.answer()
    return this
  }

  /** Sends a bare reply header, whatever is owed. */
  reply(xid: number, { err = 0, zxid = this.zxid }: Answer = {}): Error | null {
    return this.receive(reply({ xid, zxid, err }))
  }

  notify(type: number, path: string, zxid = -1n): this {
    this.receive(reply({ xid: -1, zxid, err: 0 }, WatcherEvent, { type, state: 3, path }))
    return this
  }

  /** The link will break when the server has got this many bytes more, in the midst of a write. */
  cutAfter(bytes: number): this {
    this.#bytesUntilCut = bytes
    return this
  }

  /** Bytes arrive, in as many reads as it takes. What the session throws costs it the link. */
  receive(bytes: Uint8Array): Error | null {
    for (let at = 0; at < bytes.length && this.#link === 'open'; at += readBuffer.length) {
      const chunk = bytes.subarray(at, at + readBuffer.length)
      readBuffer.set(chunk)
      try {
        this.session.handleBytes(this.nowMs, readBuffer, chunk.length)
      } catch (error) {
        this.cut(error)
        return error as Error
      } finally {
        readBuffer.fill(0xee, 0, chunk.length) // whoever kept a view of it will read this
      }
      this.turn()
    }
    return null
  }

  /** The socket has room again, and what it kept has left. */
  flush(): this {
    this.isStalled = false
    return this.flushOnce()
  }

  /** What the socket kept has left; if it is still stalled, it is full again with the next write. */
  flushOnce(): this {
    this.#isWriting = false
    this.session.handleWritten()
    return this.turn()
  }

  /** The frames the server has got since the last look. */
  takeFrames(): SentFrame[] {
    const frames = this.#received
    this.#received = []
    return frames
  }

  /** The same as texts. */
  takeSent(): string[] {
    return this.takeFrames().map(({ text }) => text)
  }

  #write(): boolean {
    const parts = this.session.takeOutput(this.nowMs)
    if (parts.length === 0) return false
    const bytes = Buffer.concat(parts)
    this.#splitter.push(bytes, Math.min(bytes.length, this.#bytesUntilCut))
    while (this.#splitter.next()) this.#received.push(this.#frame(this.#splitter))
    this.#bytesUntilCut = Math.max(0, this.#bytesUntilCut - bytes.length)
    if (this.isStalled || this.#bytesUntilCut === 0) this.#isWriting = true
    else this.session.handleWritten()
    return true
  }

  #frame(splitter: FrameSplitter): SentFrame {
    const frame = frameIn(splitter, this.#isHandshaken)
    if (this.#isHandshaken && frame.operation !== operations.ping) this.#owed.push(frame)
    this.#isHandshaken = true
    return frame
  }

  #closeLink(): void {
    this.#link = 'none'
    this.#isWriting = false
    this.#bytesUntilCut = Infinity
    this.#owed = []
    this.#splitter = new FrameSplitter(Infinity)
  }
}

/** What a client sent: its handshake, or a request. */
export function frameIn({ bytes, start, end }: FrameSplitter, isHandshaken: boolean): SentFrame {
  const reader = new Reader().reset(bytes, start, end)
  const copy = Buffer.from(bytes.subarray(start, end))
  if (!isHandshaken) return frameOf(0, connectRequest, ConnectRequest.read(reader), copy)
  const { xid, type } = RequestHeader.read(reader)
  const operation = operationByCode.get(type)!
  const frame = frameOf(xid, operation, operation.request.read(reader), copy)
  if (reader.remaining > 0) throw new Error(`${frame.text} has bytes left over`)
  return frame
}

/** A reply, with or without a body. */
export function reply(header: ReplyHeader, codec: Codec<unknown> | null = null, body?: unknown) {
  return framed((writer) => {
    ReplyHeader.write(writer, header)
    codec?.write(writer, body)
  })
}

export function handshakeOf(response: Partial<ConnectResponse> = {}): Buffer {
  return framed((writer) => {
    ConnectResponse.write(writer, {
      protocolVersion: 0,
      timeOut: sessionTimeoutMs,
      sessionId,
      passwd: password,
      readOnly: false,
      ...response,
    })
  })
}

export function framed(write: (writer: Writer) => void): Buffer {
  const writer = new Writer()
  const start = writer.beginFrame()
  write(writer)
  writer.endFrame(start, Infinity)
  return writer.written
}

function frameOf(xid: number, operation: Operation, request: any, bytes: Buffer): SentFrame {
  const path = operation.path === null ? '' : ` ${request[operation.path]}`
  return { xid, operation, text: operation.name + path, request, bytes }
}
