/** The smallest possible client: it speaks in frames, so that tests see exactly what a server says. */
import { connect, type Socket } from 'node:net'
import {
  type Codec,
  EventType,
  FrameSplitter,
  handshake,
  type Operation,
  Perms,
  Reader,
  records,
  Writer,
  Xid,
} from '../../../src/protocol/index.ts'

export interface RawReply<A> {
  readonly xid: number
  readonly zxid: bigint
  readonly err: number
  /** Undefined if there is an error. */
  readonly response: A | undefined
  /** The frame behind its length. */
  readonly bytes: Buffer
}

export interface RawEvent {
  readonly type: string
  readonly path: string
  readonly zxid: bigint
}

export const openAcl: readonly records.ACL[] = [
  { perms: Perms.ALL, id: { scheme: 'world', id: 'anyone' } },
]

const eventNames: ReadonlyMap<number, string> = new Map(
  Object.entries(EventType).map(([name, type]) => [type, name]),
)

export class RawClient {
  readonly socket: Socket
  /** Set by {@link connect}. */
  session: handshake.ConnectResponse | null = null
  /** What came in, in order: `NodeCreated /a`, `reply 3`. */
  readonly order: string[] = []
  /** The events that came in so far. */
  readonly events: RawEvent[] = []
  readonly #splitter = new FrameSplitter(0x7fff_ffff)
  readonly #frames: Buffer[] = []
  readonly #waiting: ((frame: Buffer | null) => void)[] = []
  #bytes = Buffer.alloc(0)
  #isClosed = false
  #lastXid = 0
  readonly #closed: Promise<void>

  private constructor(socket: Socket) {
    this.socket = socket
    this.#closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isClosed = true
        for (const wake of this.#waiting.splice(0)) wake(null)
        resolve()
      })
    })
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => this.#receive(chunk))
  }

  /** Opens a connection and says nothing. */
  static async dial(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const client = new RawClient(socket)
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return client
  }

  /** Opens a connection and a session, or resumes the one given. */
  static async connect(
    port: number,
    request: Partial<handshake.ConnectRequest> = {},
  ): Promise<RawClient> {
    const client = await RawClient.dial(port)
    client.sendConnect(request)
    client.session = await client.takeConnectResponse()
    return client
  }

  get sessionId(): bigint {
    return this.session?.sessionId ?? 0n
  }

  /** Resolves when the server, or {@link close}, has closed the connection. */
  get closed(): Promise<void> {
    return this.#closed
  }

  /** Everything received, not cut into frames. */
  get received(): Buffer {
    return this.#bytes
  }

  send(bytes: Uint8Array | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'hex') : bytes)
  }

  sendConnect(request: Partial<handshake.ConnectRequest>): void {
    const whole = { ...newSession, ...request }
    this.send(framed((writer) => handshake.ConnectRequest.write(writer, whole)))
  }

  /** Null if the server closed instead. */
  async takeConnectResponse(): Promise<handshake.ConnectResponse | null> {
    const frame = await this.takeFrame()
    return frame === null ? null : handshake.ConnectResponse.read(readerOf(frame))
  }

  /** Sends a request and returns its xid. */
  request<Q>(operation: Operation<Q>, request: Q, xid = ++this.#lastXid): number {
    this.send(requestFrame(operation, request, xid))
    return xid
  }

  /** Sends a request and waits for its reply; events on the way are put into {@link events}. */
  async call<Q, A>(operation: Operation<Q, A>, request: Q, xid?: number): Promise<RawReply<A>> {
    const sent = this.request(operation, request, xid)
    const reply = await this.takeReply(operation)
    if (reply.xid !== sent) throw new Error(`reply ${reply.xid} came instead of ${sent}`)
    return reply
  }

  /** The next reply, whatever its xid. */
  async takeReply<A>({ response }: { readonly response: Codec<A> }): Promise<RawReply<A>> {
    for (;;) {
      const bytes = await this.takeFrame()
      if (bytes === null) throw new Error('the server closed the connection')
      const reader = readerOf(bytes)
      const header = records.ReplyHeader.read(reader)
      if (this.#takeEvent(header, reader)) continue
      this.order.push(`reply ${header.xid}`)
      const hasBody = header.err === 0
      return { ...header, response: hasBody ? response.read(reader) : undefined, bytes }
    }
  }

  /** The next event. There must be no reply before it. */
  async takeEvent(): Promise<RawEvent> {
    const bytes = await this.takeFrame()
    if (bytes === null) throw new Error('the server closed the connection')
    const reader = readerOf(bytes)
    const header = records.ReplyHeader.read(reader)
    if (!this.#takeEvent(header, reader)) throw new Error(`reply ${header.xid} came first`)
    return this.events.at(-1)!
  }

  /** The next frame without its length; null at the end of the connection. */
  takeFrame(): Promise<Buffer | null> {
    const frame = this.#frames.shift()
    if (frame !== undefined) return Promise.resolve(frame)
    if (this.#isClosed) return Promise.resolve(null)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async close(): Promise<void> {
    this.socket.destroy()
    await this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #takeEvent(header: records.ReplyHeader, reader: Reader): boolean {
    if (header.xid !== Xid.notification) return false
    const { type, path } = records.WatcherEvent.read(reader)
    const event = { type: eventNames.get(type) ?? String(type), path, zxid: header.zxid }
    this.events.push(event)
    this.order.push(`${event.type} ${path}`)
    return true
  }

  #receive(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    this.#splitter.push(chunk)
    while (this.#splitter.next()) {
      const { bytes, start, end } = this.#splitter
      const frame = Buffer.from(bytes.subarray(start, end))
      const wake = this.#waiting.shift()
      if (wake === undefined) this.#frames.push(frame)
      else wake(frame)
    }
  }
}

const newSession: handshake.ConnectRequest = {
  protocolVersion: 0,
  lastZxidSeen: 0n,
  timeOut: 10_000,
  sessionId: 0n,
  passwd: Buffer.alloc(16),
  readOnly: false,
}

/** What a client sends first. */
export const newSessionFrame = framed((writer) => {
  handshake.ConnectRequest.write(writer, newSession)
})

/** What a client that already has this session sends. */
export function resumeRequest({ session }: RawClient): Partial<handshake.ConnectRequest> {
  if (session === null) throw new Error('the client has no session')
  return { sessionId: session.sessionId, passwd: session.passwd }
}

/** A whole frame, length included. */
export function requestFrame<Q>(operation: Operation<Q>, request: Q, xid: number): Buffer {
  return framed((writer) => {
    records.RequestHeader.write(writer, { xid, type: operation.code })
    operation.request.write(writer, request)
  })
}

export function framed(write: (writer: Writer) => void): Buffer {
  const writer = new Writer()
  const frame = writer.beginFrame()
  write(writer)
  writer.endFrame(frame, 0x7fff_ffff)
  return Buffer.from(writer.written)
}

function readerOf(frame: Buffer): Reader {
  return new Reader().reset(frame, 0, frame.length)
}
