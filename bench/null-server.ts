/**
 * A server that does nothing, fast: every request is answered at once and without an error, by a
 * reply that was encoded beforehand. What is left of a measurement against it is the client.
 *
 * It is a child process. Its argument is the length of the values; it tells its parent the port, and
 * then, on each message, how many requests it has seen.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Empty, handshake, operations, records } from 'zoowire/protocol'
import { frameOf, replyFrame } from './frames.ts'
import { benchPath } from './plan.ts'

const valueBytes = Number(process.argv[2])
const data = Buffer.alloc(valueBytes, 'x')
const stat = new records.Stat(1n, 1n, 0, 0, 1, 0, 0, 0n, valueBytes, 0, 1n)

const replies = new Map<number, Buffer>([
  [operations.create.code, replyFrame(records.CreateResponse, { path: benchPath })],
  [operations.create2.code, replyFrame(records.Create2Response, { path: benchPath, stat })],
  [operations.getData.code, replyFrame(records.GetDataResponse, { data, stat })],
  [operations.setData.code, replyFrame(records.SetDataResponse, { stat })],
  [operations.delete.code, replyFrame(Empty, undefined)],
  [operations.ping.code, replyFrame(Empty, undefined)],
  [operations.closeSession.code, replyFrame(Empty, undefined)],
])

const acceptance = frameOf((writer) => {
  handshake.ConnectResponse.write(writer, {
    protocolVersion: 0,
    timeOut: 30_000,
    sessionId: 1n,
    passwd: Buffer.alloc(16),
    readOnly: false,
  })
})

let requests = 0

class Connection {
  readonly #socket: Socket
  #isOpen = false
  #isClosing = false
  /** The beginning of a request whose end has not come yet. */
  #rest: Buffer = Buffer.alloc(0)
  #out = Buffer.allocUnsafeSlow(1024 * 1024)
  /** Which replies lie in `#out` from an earlier time: those only need their xid. */
  #codes: number[] = []

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.#answer(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]))
    })
    socket.on('error', () => socket.destroy())
  }

  #answer(bytes: Buffer): void {
    let at = 0
    let end = 0
    let answers = 0
    while (bytes.length - at >= 4) {
      const length = bytes.readInt32BE(at)
      if (bytes.length - at < 4 + length) break
      if (this.#isOpen) end = this.#put(answers++, end, bytes, at + 4)
      else this.#open()
      at += 4 + length
    }
    this.#rest = bytes.subarray(at)
    requests += answers
    if (end > 0) this.#flush(end)
  }

  #open(): void {
    this.#isOpen = true
    this.#socket.write(acceptance)
  }

  /** Puts the reply to the request at `at` behind the others; returns where it ends. */
  #put(index: number, start: number, bytes: Buffer, at: number): number {
    const code = bytes.readInt32BE(at + 4)
    const reply = replies.get(code)
    this.#isClosing = code === operations.closeSession.code
    if (reply === undefined) throw new Error(`the null server does not know operation ${code}`)
    if (this.#codes[index] !== code) {
      if (start + reply.length > this.#out.length) this.#grow()
      reply.copy(this.#out, start)
      this.#codes.length = index
      this.#codes.push(code)
    }
    bytes.copy(this.#out, start + 4, at, at + 4)
    return start + reply.length
  }

  #grow(): void {
    this.#out = Buffer.concat([this.#out], this.#out.length * 2)
  }

  #flush(end: number): void {
    this.#socket.write(this.#out.subarray(0, end))
    if (this.#isClosing) this.#socket.end()
    if (this.#socket.writableLength === 0) return
    // The socket still needs this memory.
    this.#out = Buffer.allocUnsafeSlow(this.#out.length)
    this.#codes = []
  }
}

const server = createServer((socket) => new Connection(socket))
server.listen(0, '127.0.0.1', () => {
  process.send!((server.address() as AddressInfo).port)
})
process.on('message', () => process.send!(requests))
process.on('disconnect', () => process.exit())
