/** Accepts connections, bare or inside TLS, and makes them {@link Wire}s. */
import { type AddressInfo, createServer, type Server, Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions, TLSSocket } from 'node:tls'
import { formatHost } from '../protocol/index.ts'
import { plainAddress } from './acl.ts'
import { type Cable } from './cable.ts'
import { type Wire } from './link.ts'

export interface DoorOptions {
  readonly host?: string
  readonly port?: number
  readonly tls?: TlsOptions
}

/** Where a server can be reached: opens and closes, at the same port each time. */
export class Door {
  readonly #host: string
  readonly #tls: TlsOptions | null
  readonly #accept: (wire: Wire) => Cable
  #port: number
  #listener: Server | null = null
  readonly #sockets = new Set<Socket>()

  constructor({ host = '127.0.0.1', port = 0, tls }: DoorOptions, accept: (wire: Wire) => Cable) {
    this.#host = host
    this.#port = port
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
    const listener = listenerOf(this.#tls, (socket) => this.#enter(socket))
    listener.on('connection', (socket: Socket) => this.#track(socket))
    this.#listener = listener
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject)
      listener.listen(this.#port, this.#host, () => {
        listener.off('error', reject)
        resolve()
      })
    })
    this.#port = (listener.address() as AddressInfo).port
  }

  /** Ends all connections, also those that have sent their last bytes and wait for the client to close. */
  async close(): Promise<void> {
    const listener = this.#listener
    this.#listener = null
    const closed = new Promise((resolve) => {
      if (listener === null) resolve(undefined)
      else listener.close(resolve)
    })
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  /** Also connections whose TLS handshake goes on, or failed. */
  #track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
  }

  #enter(socket: Socket): void {
    const cable = this.#accept(wireOf(socket))
    socket.on('data', (chunk) => cable.handleBytes(chunk))
    socket.on('end', () => cable.handleClosed())
    socket.on('error', () => cable.handleClosed())
    socket.on('close', () => cable.handleClosed())
  }
}

/** Hands each connection on when it is open, which with TLS is behind its handshake. */
function listenerOf(tls: TlsOptions | null, accept: (socket: Socket) => void): Server {
  if (tls === null) return createServer({ noDelay: true }, accept)
  return createTlsServer({ noDelay: true, ...tls }, accept)
}

function wireOf(socket: Socket): Wire {
  return {
    remoteAddress: plainAddress(socket.remoteAddress ?? ''),
    remotePort: socket.remotePort,
    certificateSubject: socket instanceof TLSSocket ? subjectOf(socket) : undefined,
    write(bytes) {
      if (socket.writable) socket.write(bytes)
    },
    end: () => socket.destroySoon(),
    reset() {
      if (socket instanceof TLSSocket)
        socket.destroy() // Node resets bare sockets only
      else socket.resetAndDestroy()
    },
  }
}

/** As RFC 2253 writes it, and ZooKeeper's ACLs: the last part first, `CN=client,O=Test`. */
function subjectOf(socket: TLSSocket): string | undefined {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
  return certificate?.subject.split('\n').reverse().join(',')
}
