import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Reader } from '../../src/protocol/bytes.ts'
import { FrameSplitter } from '../../src/protocol/framing.ts'
import { operationByCode } from '../../src/protocol/operations.ts'
import { ReplyHeader, RequestHeader } from '../../src/protocol/records.ts'

/**
 * What the network does to a request: `drop-request` loses it on its way to the server, `drop-reply`
 * loses the answer. Either way the connection is gone, and the client cannot tell the two apart.
 */
export type Loss = 'drop-request' | 'drop-reply'

/** A network between one client and a server, real or not, that loses what it is told to lose. */
export class LossyProxy implements AsyncDisposable {
  /** Asked about each request but pings, with ZooKeeper's name of its operation. */
  lose: (operation: string) => Loss | undefined = () => undefined
  /** While it is set, no connection comes about. */
  isDown = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(connectString: string): Promise<LossyProxy> {
    const [host, port] = connectString.split(':')
    const server = createServer({ noDelay: true })
    const proxy = new LossyProxy(server)
    server.on('connection', (client) => {
      proxy.#join(client, connect({ host: host!, port: Number(port), noDelay: true }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get connectString(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Loses something at the request number `step`, from 0, of those that follow, once. */
  loseAt(step: number, loss: Loss): void {
    let count = 0
    this.lose = () => (count++ === step ? loss : undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(client: Socket, server: Socket): void {
    const sockets = [client, server]
    const end = () => {
      for (const socket of sockets) socket.destroy()
    }
    for (const socket of sockets) {
      this.#sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        end()
      })
    }
    if (this.isDown) return end()
    let isHandshake = true
    let doomedXid: number | null = null
    relay(client, server, (frame) => {
      if (isHandshake) {
        isHandshake = false
        return true
      }
      const { xid, type } = RequestHeader.read(frame)
      const operation = operationByCode.get(type)?.name ?? String(type)
      const loss = operation === 'ping' ? undefined : this.lose(operation)
      if (loss === 'drop-reply') doomedXid = xid
      if (loss !== 'drop-request') return true
      end()
      return false
    })
    relay(server, client, (frame) => {
      if (doomedXid === null || frame.remaining < 16) return true
      if (ReplyHeader.read(frame).xid !== doomedXid) return true
      end()
      return false
    })
  }
}

/** Passes frames on for as long as `inspect` permits. */
function relay(from: Socket, to: Socket, inspect: (frame: Reader) => boolean): void {
  const splitter = new FrameSplitter(Infinity)
  let isOver = false
  from.on('data', (chunk: Buffer) => {
    splitter.push(chunk)
    while (!isOver && splitter.next()) {
      const { bytes, start, end } = splitter
      isOver = !inspect(new Reader().reset(bytes, start, end))
      if (isOver) return
      const length = Buffer.alloc(4)
      length.writeInt32BE(end - start)
      to.write(Buffer.concat([length, bytes.subarray(start, end)]))
    }
  })
}
