/**
 * One connection as the server sees it: bytes in, whole requests out; replies in, batched bytes out.
 *
 * It knows no sockets. Whoever owns one hands in what arrived and supplies a {@link Wire}.
 */
import {
  type Codec,
  Empty,
  formatHost,
  FrameSplitter,
  handshake,
  juteMaxBuffer,
  KeeperState,
  Perms,
  Reader,
  records,
  Writer,
  Xid,
} from '../protocol/index.ts'
import { isPermitted } from './acl.ts'
import { type Profile } from './profile.ts'
import { type SaslExchange } from './sasl.ts'
import { type Session } from './sessions.ts'
import { type Watcher, type WatchEvent } from './watches.ts'

/** The way back to the client. */
export interface Wire {
  readonly remoteAddress: string
  readonly remotePort?: number | undefined
  /** The one that the client has dialled. */
  readonly localPort?: number | undefined
  /** Whom the client's verified certificate is for, if it has shown one. */
  readonly certificateSubject?: string | undefined
  /** The bytes belong to the callee. */
  write(bytes: Buffer): void
  /** Closes when everything written has left. */
  end(): void
  /** Closes at once, so that the client sees a reset. */
  reset(): void
}

/** Frames that came in, and that went out. */
export interface Packets {
  received: number
  sent: number
}

/** What becomes of whatever arrives on a link. */
export interface LinkHost {
  readonly profile: Profile
  /** Counts what all links do. */
  readonly packets: Packets
  /** The answer to the four letters a connection began with, or null if they are no command. */
  handleWord(word: string, link: Link): string | null
  handleHandshake(link: Link, request: handshake.ConnectRequest): void
  /** `body` stands behind the header and is only valid during the call. */
  handleRequest(link: Link, header: records.RequestHeader, body: Reader): void
  handleClosed(link: Link): void
}

const wordBytes = 4
const replyBytesMax = 0x7fff_ffff

export class Link implements Watcher {
  /** Who the client has proved to be. Everybody has an address. */
  readonly ids: records.Id[]
  /** Set by the handshake. */
  session: Session | null = null
  /** When that was: milliseconds since 1970. */
  establishedMs = 0
  /** Frames that came in, and that went out. */
  received = 0
  sent = 0
  /** Requests that have come in and are not answered yet. As in a real server, xids up to 0 do not count. */
  outstanding = 0
  /** Begun by the first SASL token. */
  sasl: SaslExchange | null = null

  readonly #wire: Wire
  readonly #host: LinkHost
  readonly #splitter = new FrameSplitter(juteMaxBuffer)
  readonly #reader = new Reader()
  readonly #out = new Writer(512)
  #state: 'new' | 'handshaking' | 'open' | 'closed' = 'new'
  /** The first bytes, until there are enough to tell a command from a length. */
  #opening: Buffer = Buffer.alloc(0)
  #isFlushDue = false

  constructor(wire: Wire, host: LinkHost) {
    this.#wire = wire
    this.#host = host
    this.ids = [{ scheme: 'ip', id: wire.remoteAddress }]
    const { certificateSubject: id } = wire
    if (id !== undefined) this.addId({ scheme: 'x509', id })
  }

  get sessionId(): bigint {
    return this.session?.id ?? 0n
  }

  /** `127.0.0.1:51828`. */
  get peer(): string {
    return formatHost({ name: this.#wire.remoteAddress, port: this.#wire.remotePort ?? 0 })
  }

  /** 0 where there is none. */
  get localPort(): number {
    return this.#wire.localPort ?? 0
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Never throws: whatever a client sends costs its own connection at most. */
  handleBytes(chunk: Buffer): void {
    try {
      this.#consume(chunk)
    } catch {
      this.close()
    }
  }

  /** The client, or the network, has closed the connection. */
  handleClosed(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#host.handleClosed(this)
  }

  /** Queues a reply. Everything queued in one turn leaves in one write. */
  reply<T>(header: records.ReplyHeader, codec: Codec<T>, body: T): void {
    this.#send((out) => {
      records.ReplyHeader.write(out, header)
      codec.write(out, body)
    })
    if (header.xid > 0) this.outstanding--
  }

  /** A request that was read, and yet has never come in. */
  forget({ xid }: records.RequestHeader): void {
    if (xid > 0) this.outstanding--
  }

  replyHandshake(response: handshake.ConnectResponse): void {
    this.#send((out) => handshake.ConnectResponse.write(out, response))
  }

  /** Tells of a change, if the client could have read what changed. */
  notify({ type, path, zxid, acl }: WatchEvent): void {
    const { guardsWatches, tellsZxid } = this.#host.profile
    if (guardsWatches && acl !== null && !isPermitted(acl, Perms.READ, this.ids)) return
    const event = { type, state: KeeperState.SyncConnected, path }
    const header = { xid: Xid.notification, zxid: tellsZxid ? zxid : -1n, err: 0 }
    this.reply(header, records.WatcherEvent, event)
  }

  addId(added: records.Id): void {
    const isKnown = this.ids.some(({ scheme, id }) => scheme === added.scheme && id === added.id)
    if (!isKnown) this.ids.push(added)
  }

  /** Closes behind what was queued. */
  close(): void {
    if (this.#state === 'closed') return
    this.flush()
    this.handleClosed()
    this.#wire.end()
  }

  /** Closes at once, as when a cable is cut and a machine answers for the one behind it. */
  reset(): void {
    this.handleClosed()
    this.#wire.reset()
  }

  #consume(chunk: Buffer): void {
    const bytes = this.#state === 'new' ? this.#open(chunk) : chunk
    if (bytes === null) return
    this.#splitter.push(bytes)
    while (this.#state !== 'closed' && this.#splitter.next()) this.#handleFrame()
    // A frame that is too long is refused as soon as it says so.
    if (this.#splitter.length > juteMaxBuffer) this.close()
  }

  /** Answers a command. Otherwise returns all bytes so far, once there are enough to know. */
  #open(chunk: Buffer): Buffer | null {
    this.#opening = Buffer.concat([this.#opening, chunk])
    if (this.#opening.length < wordBytes) return null
    const answer = this.#host.handleWord(this.#opening.toString('latin1', 0, wordBytes), this)
    if (answer !== null) {
      this.#out.raw(Buffer.from(answer))
      this.close()
      return null
    }
    this.#state = 'handshaking'
    return this.#opening
  }

  #handleFrame(): void {
    const { bytes, start, end, length } = this.#splitter
    if (length === 0 || length > juteMaxBuffer) return this.close()
    this.received++
    this.#host.packets.received++
    const reader = this.#reader.reset(bytes, start, end)
    if (this.#state === 'open') {
      const header = records.RequestHeader.read(reader)
      if (header.xid > 0) this.outstanding++
      this.#host.handleRequest(this, header, reader)
    } else {
      this.#state = 'open'
      this.#host.handleHandshake(this, handshake.ConnectRequest.read(reader))
    }
  }

  #send(write: (out: Writer) => void): void {
    if (this.#state === 'closed') return
    this.sent++
    this.#host.packets.sent++
    const frame = this.#out.beginFrame()
    try {
      write(this.#out)
      this.#out.endFrame(frame, replyBytesMax)
    } catch (error) {
      this.#out.rewind(frame)
      throw error
    }
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    queueMicrotask(() => this.flush())
  }

  /** Writes what is queued, without waiting for the end of the turn. */
  flush(): void {
    this.#isFlushDue = false
    if (this.#state === 'closed' || this.#out.offset === 0) return
    this.#wire.write(Buffer.from(this.#out.written))
    this.#out.rewind(0)
  }
}

/** A reply that is only its header. */
export function replyEmpty(link: Link, header: records.ReplyHeader): void {
  link.reply(header, Empty, undefined)
}

/** The rest of a frame, in memory of its own. */
export function copyOf({ bytes, offset, end }: Reader): Reader {
  const copy = Buffer.from(bytes.subarray(offset, end))
  return new Reader().reset(copy, 0, copy.length)
}
