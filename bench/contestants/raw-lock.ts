import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { OPEN_ACL_UNSAFE } from 'zoowire'
import { CreateFlags, FrameSplitter, operations, Reader, records, Xid } from 'zoowire/protocol'
import { addressOf, connectFrame, requestFrame } from '../frames.ts'
import { lockPath, type Plan } from '../plan.ts'
import { type Contender, type Meter } from './meter.ts'

/**
 * No client and no recipe: the requests that zoowire's lock makes, sent by hand, one at a time, by
 * contenders that never fail. What a hand-over takes at least that is proven to the quorum and watched.
 */
export async function contend({ hosts, inFlight }: Plan): Promise<Contender> {
  const contenders = await Promise.all(
    Array.from({ length: inFlight }, (_, i) => RawContender.connect(hosts[i % hosts.length]!)),
  )
  const line = await contenders[0]!.create(lockPath + '/raw-', CreateFlags['persistent-sequential'])
  const lastRelease = { atMs: 0 }
  return {
    async run(meter) {
      await Promise.all(
        contenders.map((contender) => takeTurns(contender, line, lastRelease, meter)),
      )
    },
    async close() {
      await Promise.all(contenders.map((contender) => contender.close()))
    },
  }
}

async function takeTurns(
  contender: RawContender,
  line: string,
  lastRelease: { atMs: number },
  meter: Meter,
): Promise<void> {
  while (meter.isRunning) {
    const own = await contender.create(`${line}/lock-`, CreateFlags['ephemeral-sequential'])
    let ahead = await contender.predecessor(line, own)
    while (ahead !== null) {
      if (await contender.watch(ahead)) await contender.untilTold()
      ahead = await contender.predecessor(line, own)
    }
    await contender.prove(own)
    await contender.watch(own)
    meter.count(lastRelease.atMs)
    lastRelease.atMs = performance.now()
    await contender.remove(own)
  }
}

class RawContender {
  readonly #socket: Socket
  readonly #splitter = new FrameSplitter(1024 * 1024)
  readonly #reader = new Reader()
  #onReply: (err: number) => void = () => {}
  #onEvent: () => void = () => {}
  #told: Promise<void> = Promise.resolve()

  static async connect(host: string): Promise<RawContender> {
    const socket = connect({ ...addressOf(host), noDelay: true })
    await once(socket, 'connect')
    const opened = once(socket, 'data')
    socket.write(connectFrame())
    await opened
    return new RawContender(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#read(chunk))
  }

  async create(path: string, flags: number): Promise<string> {
    const body = { path, data: Buffer.alloc(0), acl: OPEN_ACL_UNSAFE, flags }
    await this.#ask(requestFrame(operations.create2, body))
    return records.Create2Response.read(this.#reader).path
  }

  /** Who is directly ahead; null if nobody is. */
  async predecessor(line: string, own: string): Promise<string | null> {
    await this.#ask(requestFrame(operations.getChildren2, { path: line, watch: false }))
    const { children } = records.GetChildren2Response.read(this.#reader)
    const sorted = children.toSorted()
    const ahead = sorted[sorted.indexOf(own.slice(line.length + 1)) - 1]
    return ahead === undefined ? null : `${line}/${ahead}`
  }

  /** False if there is nothing to watch. */
  async watch(path: string): Promise<boolean> {
    this.#told = new Promise((resolve) => (this.#onEvent = resolve))
    return (await this.#ask(requestFrame(operations.getData, { path, watch: true }))) === 0
  }

  untilTold(): Promise<void> {
    return this.#told
  }

  async prove(path: string): Promise<void> {
    await this.#ask(requestFrame(operations.setData, { path, data: Buffer.alloc(0), version: -1 }))
  }

  async remove(path: string): Promise<void> {
    await this.#ask(requestFrame(operations.delete, { path, version: -1 }))
  }

  async close(): Promise<void> {
    this.#socket.end(requestFrame(operations.closeSession, undefined))
    await once(this.#socket, 'close')
  }

  /** Resolves with the error code; the reader stands at the body of the reply then. */
  #ask(frame: Buffer): Promise<number> {
    this.#socket.write(frame)
    return new Promise((resolve) => (this.#onReply = resolve))
  }

  #read(chunk: Buffer): void {
    this.#splitter.push(chunk)
    while (this.#splitter.next()) {
      const { bytes, start, end } = this.#splitter
      // A copy: the body is read when the promise has woken up whoever asked.
      const frame = Buffer.from(bytes.subarray(start, end))
      const { xid, err } = records.ReplyHeader.read(new Reader().reset(frame, 0, frame.length))
      if (xid === Xid.notification) {
        this.#onEvent()
      } else {
        this.#reader.reset(frame, 16, frame.length)
        this.#onReply(err)
      }
    }
  }
}
