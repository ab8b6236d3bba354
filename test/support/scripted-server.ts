import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { FrameSplitter } from '../../src/protocol/framing.ts'
import { type ConnectResponse } from '../../src/protocol/handshake.ts'
import { operations } from '../../src/protocol/operations.ts'
import { frameIn, handshakeOf, reply, type SentFrame } from './session-harness.ts'

/** What the server does on a connection, from its beginning on. */
export type Play = (peer: Peer, nth: number) => unknown

/**
 * A TCP server that does, byte by byte, what a test tells it to: what no real server would do, at the
 * moment at which it hurts.
 * @example
 * await using server = await ScriptedServer.start(async (peer) => {
 *   await peer.handshake()
 *   peer.send(Buffer.from('ffffffff', 'hex'))
 * })
 */
export class ScriptedServer implements AsyncDisposable {
  readonly peers: Peer[] = []
  readonly #listener: Server
  readonly #failures: unknown[] = []

  static async start(play: Play): Promise<ScriptedServer> {
    const server = new ScriptedServer(play)
    server.#listener.listen(0, '127.0.0.1')
    await once(server.#listener, 'listening')
    return server
  }

  private constructor(play: Play) {
    this.#listener = createServer({ noDelay: true }, (socket) => {
      const peer = new Peer(socket)
      this.peers.push(peer)
      void this.#perform(play, peer)
    })
  }

  get connectString(): string {
    return `127.0.0.1:${(this.#listener.address() as AddressInfo).port}`
  }

  /** @throws what went wrong in the script, as far as it is not the end of a connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.peers) peer.end()
    this.#listener.close()
    await once(this.#listener, 'close')
    if (this.#failures.length > 0) throw new AggregateError(this.#failures, 'the script failed')
  }

  async #perform(play: Play, peer: Peer): Promise<void> {
    try {
      await play(peer, this.peers.length - 1)
    } catch (error) {
      if (!(error instanceof PeerGone)) this.#failures.push(error)
    }
  }
}

/** The client's end of one connection has gone while the script waited for it. */
class PeerGone extends Error {}

/** One connection, as its server sees it. */
export class Peer {
  readonly #socket: Socket
  readonly #splitter = new FrameSplitter(Infinity)
  readonly #frames: SentFrame[] = []
  #bytes = 0
  #isHandshaken = false
  #isGone = false
  #wake: () => void = () => undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => undefined)
    socket.on('data', this.#onData)
    socket.on('close', () => {
      this.#isGone = true
      this.#wake()
    })
  }

  /** Lets the client in. */
  async handshake(response: Partial<ConnectResponse> = {}): Promise<SentFrame> {
    const request = await this.next()
    this.send(handshakeOf(response))
    return request
  }

  /** The next frame of the client but pings, which are answered. */
  async next(): Promise<SentFrame> {
    await this.#until(() => this.#frames.length > 0)
    const frame = this.#frames.shift()!
    if (frame.operation !== operations.ping || frame.xid === 0) return frame
    this.send(reply({ xid: -2, zxid: 0n, err: 0 }))
    return this.next()
  }

  /** Answers a request as a server would that finds no znode anywhere. */
  answer({ xid }: SentFrame, err = -101): void {
    this.send(reply({ xid, zxid: 1n, err }))
  }

  /** Answers everything, until the client leaves. */
  async serve(): Promise<never> {
    for (;;) {
      const frame = await this.next()
      this.answer(frame, frame.operation === operations.closeSession ? 0 : -101)
    }
  }

  /** Resolves when the client has sent this many bytes. */
  untilBytes(count: number): Promise<void> {
    return this.#until(() => this.#bytes >= count)
  }

  /** Resolves when the connection is over. */
  async untilGone(): Promise<void> {
    // Not `once`: to this promise a reset is an end like any other.
    if (!this.#isGone) await new Promise((resolve) => this.#socket.on('close', resolve))
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Says no more; what was sent arrives. */
  end(): void {
    this.#socket.destroySoon()
  }

  /** Breaks the connection, by a reset. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#isGone) throw new PeerGone('the client has gone')
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes += chunk.length
    this.#splitter.push(chunk)
    while (this.#splitter.next()) {
      this.#frames.push(frameIn(this.#splitter, this.#isHandshaken))
      this.#isHandshaken = true
    }
    this.#wake()
  }
}
