import { connect, type Socket } from 'node:net'
import { once } from 'node:events'

/**
 * Stops single threads of a running Java program while the others go on, over the wire protocol of its
 * debugger (JDWP). All go on when the connection ends.
 *
 * The format, from Oracle's "Java Debug Wire Protocol": each side says `JDWP-Handshake`; then packets of a
 * length, an id, flags and a command, or an error in its place, and data. HotSpot's ids have eight bytes.
 */
export class JavaDebugger implements Disposable {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #id = 0

  static async attach(port: number): Promise<JavaDebugger> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    const attached = new JavaDebugger(socket)
    socket.write(handshake)
    const answer = await attached.#take(handshake.length)
    if (answer.toString() !== handshake) throw new Error(`no debugger is at port ${port}`)
    return attached
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {}) // whoever reads is told of the end
    socket.on('close', () => socket.emit('news'))
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes])
      socket.emit('news')
    })
  }

  /** Stops the threads whose names begin so, where they are; at least one must be there. */
  async suspend(name: string): Promise<void> {
    const threads = idsIn(await this.#command(allThreads))
    let count = 0
    for (const thread of threads) {
      const answer = await this.#command(threadName, thread)
      if (!answer.toString('utf8', 4).startsWith(name)) continue
      await this.#command(suspendThread, thread)
      count++
    }
    if (count === 0) throw new Error(`no thread is called ${name}`)
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  async #command([set, command]: Command, data: Uint8Array = noData): Promise<Buffer> {
    const header = Buffer.alloc(headerBytes)
    header.writeInt32BE(headerBytes + data.length, 0)
    header.writeInt32BE(++this.#id, 4)
    header.writeUInt8(set, 9)
    header.writeUInt8(command, 10)
    this.#socket.write(Buffer.concat([header, data]))
    return this.#reply()
  }

  /** Of the command that was sent last; the debugger's events are nothing to us. */
  async #reply(): Promise<Buffer> {
    for (;;) {
      const header = await this.#take(headerBytes)
      const body = await this.#take(header.readInt32BE(0) - headerBytes)
      if (header.readUInt8(8) !== isReply) continue
      const error = header.readUInt16BE(9)
      if (error !== 0) throw new Error(`the debugger refuses: error ${error}`)
      return body
    }
  }

  async #take(length: number): Promise<Buffer> {
    while (this.#received.length < length) {
      if (this.#socket.destroyed) throw new Error('the debugger has closed the connection')
      await once(this.#socket, 'news')
    }
    const taken = this.#received.subarray(0, length)
    this.#received = this.#received.subarray(length)
    return taken
  }
}

const handshake = 'JDWP-Handshake'
const headerBytes = 11
const isReply = 0x80

const noData = new Uint8Array()

/** The set that it is in, and its number there. */
type Command = readonly [number, number]

const allThreads: Command = [1, 4]
const threadName: Command = [11, 1]
const suspendThread: Command = [11, 2]

function idsIn(answer: Buffer): Buffer[] {
  return Array.from({ length: answer.readInt32BE(0) }, (_, i) => {
    return answer.subarray(4 + 8 * i, 12 + 8 * i)
  })
}
