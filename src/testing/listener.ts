/** Accepts connections, bare or inside TLS, by TCP or in memory, and makes them {@link Wire}s. */
import { type AddressInfo, createServer, type Server, Socket } from 'node:net'
import { type Duplex } from 'node:stream'
import { createServer as createTlsServer, type TlsOptions, TLSSocket } from 'node:tls'
import { formatHost } from '../protocol/index.ts'
import { plainAddress } from './acl.ts'
import { type Cable } from './cable.ts'
import { type Wire } from './link.ts'
import { connectionError, MemoryEnd, memoryLink } from './memory-link.ts'

export interface DoorOptions {
  readonly host?: string
  readonly port?: number
  readonly listen?: boolean
  readonly tls?: TlsOptions
}

/** Where a server can be reached: opens and closes, at the same port each time. */
export class Door {
  readonly #host: string
  readonly #tls: TlsOptions | null
  readonly #accept: (wire: Wire) => Cable
  readonly #listens: boolean
  #port: number
  #listener: Server | null = null
  readonly #streams = new Set<Duplex>()

  constructor(options: DoorOptions, accept: (wire: Wire) => Cable) {
    const { host = '127.0.0.1', port = 0, listen = true, tls } = options
    this.#host = host
    this.#port = port
    this.#listens = listen
    this.#tls = tls ?? null
    this.#accept = accept
  }

  get isOpen(): boolean {
    return this.#listener !== null
  }

  get port(): number {
    return this.#port
  }

  /** `127.0.0.1:2181` */
  get address(): string {
    return formatHost({ name: this.#host, port: this.#port })
  }

  /** What stands in front of a connect string. */
  get scheme(): string {
    return this.#tls === null ? '' : 'zks://'
  }

  async open(): Promise<void> {
    const listener = listenerOf(this.#tls, (stream) => this.#enter(stream))
    listener.on('connection', (stream: Duplex) => this.#track(stream))
    this.#listener = listener
    if (!this.#listens) return
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject)
      listener.listen(this.#port, this.#host, () => {
        listener.off('error', reject)
        resolve()
      })
    })
    this.#port = (listener.address() as AddressInfo).port
  }

  /** The client's end of a connection in memory. */
  async dial(): Promise<Duplex> {
    if (this.#listener === null) throw connectionError('ECONNREFUSED')
    const [theirs, ours] = memoryLink()
    this.#listener.emit('connection', ours) // documented: any stream may come in so
    return theirs
  }

  /** Ends all connections, also those that have sent their last bytes and wait for the client to close. */
  async close(): Promise<void> {
    const listener = this.#listener
    this.#listener = null
    const closed = new Promise((resolve) => {
      if (listener === null || !this.#listens) resolve(undefined)
      else listener.close(resolve)
    })
    for (const stream of this.#streams) stream.destroy()
    await closed
  }

  /** Also connections whose TLS handshake goes on, or failed. */
  #track(stream: Duplex): void {
    this.#streams.add(stream)
    stream.on('close', () => this.#streams.delete(stream))
  }

  #enter(stream: Duplex): void {
    const cable = this.#accept(wireOf(stream))
    stream.on('data', (chunk: Buffer) => cable.handleBytes(chunk))
    stream.on('end', () => cable.handleClosed())
    stream.on('error', () => cable.handleClosed())
    stream.on('close', () => cable.handleClosed())
  }
}

/** Hands each connection on when it is open, which with TLS is behind its handshake. */
function listenerOf(tls: TlsOptions | null, accept: (stream: Duplex) => void): Server {
  if (tls === null) return createServer({ noDelay: true }, accept)
  return createTlsServer({ noDelay: true, ...tls }, accept)
}

function wireOf(stream: Duplex): Wire {
  return {
    ...peerOf(stream),
    write(bytes) {
      if (stream.writable) stream.write(bytes)
    },
    end: () => stream.end(() => stream.destroy()),
    reset() {
      if (stream instanceof MemoryEnd) stream.reset()
      else if (stream instanceof Socket && !(stream instanceof TLSSocket)) stream.resetAndDestroy()
      else stream.destroy() // Node resets bare sockets only
    },
  }
}

/** Whoever comes through memory comes from here. */
function peerOf(stream: Duplex): Omit<Wire, 'write' | 'end' | 'reset'> {
  const { remoteAddress = '127.0.0.1', remotePort, localPort } = socketOf(stream)
  return {
    remoteAddress: plainAddress(remoteAddress),
    remotePort,
    localPort,
    certificateSubject: stream instanceof TLSSocket ? subjectOf(stream) : undefined,
  }
}

function socketOf(
  stream: Duplex,
): Partial<Pick<Socket, 'remoteAddress' | 'remotePort' | 'localPort'>> {
  return stream instanceof Socket ? stream : {}
}

/** As RFC 2253 writes it, and ZooKeeper's ACLs: the last part first, `CN=client,O=Test`. */
function subjectOf(socket: TLSSocket): string | undefined {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
  return certificate?.subject.split('\n').reverse().join(',')
}
