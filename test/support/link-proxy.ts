import { createServer, connect as dial, type AddressInfo, type Server, type Socket } from 'node:net'

/** What becomes of the bytes of a frame on its way to the client. */
export type Passage = 'pass' | 'cut'

/**
 * A wire to a server that can be cut, at once or in front of a certain frame, or fall silent: also to a
 * real server, which cannot be told to.
 */
export class LinkProxy implements AsyncDisposable {
  /** Decides about each frame for the client, without its length. */
  inspect: (frame: Buffer) => Passage = () => 'pass'
  /** New connections are refused. */
  isDown = false
  /** Connections stay open, and nothing passes: no byte, and no end. */
  isSilent = false
  /** Connections stay open, and what is sent this way is lost. */
  loses: 'to-client' | 'to-server' | null = null
  /** How fast the server is read, at most: what does not pass waits in the server. */
  bytesPerSecond = Infinity
  /** How many connections there were. */
  connections = 0
  readonly #target: number
  readonly #listener: Server
  readonly #sockets = new Set<Socket>()

  static async start(target: number, host = '127.0.0.1', port = 0): Promise<LinkProxy> {
    const proxy = new LinkProxy(target)
    await new Promise<void>((resolve) => proxy.#listener.listen(port, host, resolve))
    return proxy
  }

  private constructor(target: number) {
    this.#target = target
    this.#listener = createServer({ noDelay: true }, (socket) => {
      this.#accept(socket)
    })
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  get connectString(): string {
    return `127.0.0.1:${this.port}`
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#listener.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(client: Socket): void {
    this.connections++
    if (this.isDown) {
      client.resetAndDestroy()
      return
    }
    const server = dial({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const end = (): void => {
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        end()
      })
    }
    client.on('data', (bytes) => {
      if (!this.isSilent && this.loses !== 'to-server') server.write(bytes)
    })
    let waiting = Buffer.alloc(0)
    server.on('data', (bytes) => {
      if (this.isSilent || this.loses === 'to-client') return
      if (this.bytesPerSecond < Infinity) rest(server, (1_000 * bytes.length) / this.bytesPerSecond)
      waiting = Buffer.concat([waiting, bytes])
      while (waiting.length >= 4 && waiting.length >= 4 + waiting.readInt32BE(0)) {
        const frame = waiting.subarray(4, 4 + waiting.readInt32BE(0))
        waiting = waiting.subarray(4 + frame.length)
        if (this.inspect(frame) === 'cut') {
          client.destroySoon() // behind the frames before this one
          server.destroy()
          return
        }
        client.write(Buffer.concat([lengthOf(frame), frame]))
      }
    })
  }
}

function rest(socket: Socket, ms: number): void {
  socket.pause()
  setTimeout(() => socket.resume(), ms)
}

function lengthOf(frame: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(frame.length)
  return length
}
