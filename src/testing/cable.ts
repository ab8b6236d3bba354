/**
 * The connection between a socket and a {@link Link}: passes everything on at once, unless faults have
 * made it slow, silent or short.
 */
import { type Clock, type Timer } from './clock.ts'
import { type FaultDirection, type LinkFault } from './fault-plan.ts'
import { type Link, type Wire } from './link.ts'

export class Cable {
  readonly link: Link
  readonly toServer: Pipe
  readonly toClient: Pipe
  /** What waits in the server behind a delayed request, if there is one. */
  #stalled: (() => void)[] | null = null
  readonly #wire: Wire
  /** Where the server's bytes go while somebody wants them. */
  #captured: Buffer[] | null = null
  /** To be sent behind the next bytes. */
  #belated: Buffer | null = null

  constructor(wire: Wire, clock: Clock, plug: (wire: Wire) => Link) {
    this.#wire = wire
    this.toServer = new Pipe(clock, (bytes) => this.link.handleBytes(bytes))
    this.toClient = new Pipe(clock, (bytes) => wire.write(bytes))
    this.link = plug({
      ...wire,
      write: (bytes) => this.#write(bytes),
      end: () => this.toClient.then(() => wire.end()),
      reset: () => this.reset(),
    })
  }

  /** Bytes have come from the client. They are only valid during the call. */
  handleBytes(chunk: Buffer): void {
    this.toServer.push(chunk)
  }

  /** The client, or the network, has closed the connection. */
  handleClosed(): void {
    this.toClient.close()
    this.toServer.then(() => this.link.handleClosed())
  }

  /** Closes at once, so that the client sees a reset. */
  reset(): void {
    this.toClient.close()
    this.toServer.close()
    this.link.handleClosed()
    this.#wire.reset()
  }

  get isStalled(): boolean {
    return this.#stalled !== null
  }

  /** Does something behind what has stalled the connection; now, if nothing has. */
  inTurn(run: () => void): void {
    if (this.#stalled === null) run()
    else this.#stalled.push(run)
  }

  /** Whatever comes in waits until the function that is returned is called: behind what that runs. */
  stall(): (first: () => void) => void {
    const stalled: (() => void)[] = []
    this.#stalled = stalled
    return (first) => {
      this.#stalled = null
      try {
        first()
        for (const run of stalled) this.inTurn(run) // one of them may stall it again
      } catch {
        this.link.close() // as for any request that cannot be decoded
      }
    }
  }

  /** What `run` makes the server send, which is not sent. */
  capture(run: () => void): Buffer {
    this.link.flush()
    const captured: Buffer[] = []
    this.#captured = captured
    try {
      run()
      this.link.flush()
    } finally {
      this.#captured = null
    }
    return Buffer.concat(captured)
  }

  sendTwice(bytes: Buffer): void {
    this.toClient.push(bytes)
    this.toClient.push(bytes)
  }

  /** Behind whatever is sent next. */
  sendBelated(bytes: Buffer): void {
    this.#belated = bytes
  }

  apply(fault: LinkFault): void {
    switch (fault.do) {
      case 'silence':
        return this.#each(fault.direction, (pipe) => pipe.close())
      case 'cut':
        return this.#each(fault.direction ?? 'to-client', (pipe) => {
          pipe.cutAfter(fault.bytes, () => this.#end())
        })
      case 'slow': {
        const gapMs = 10
        const bytesMax = Math.max(1, Math.round((fault.bytesPerSecond * gapMs) / 1000))
        const shape = { bytesMax, gapMs: (1000 * bytesMax) / fault.bytesPerSecond }
        return this.#each(fault.direction, (pipe) => pipe.shape(shape))
      }
      case 'lag':
        return this.#each(fault.direction, (pipe) => pipe.shape({ lagMs: fault.ms }))
      case 'slice':
        return this.#each(fault.direction, (pipe) =>
          pipe.shape({ bytesMax: fault.bytes, gapMs: 1 }),
        )
      case 'glue':
        return this.#each(fault.direction, (pipe) => pipe.shape({ glueMs: fault.ms }))
      case 'garbage':
        return this.toClient.push(Buffer.from(fault.hex ?? usualGarbage, 'hex'))
    }
  }

  #each(direction: FaultDirection = 'both', change: (pipe: Pipe) => void): void {
    if (direction !== 'to-client') change(this.toServer)
    if (direction !== 'to-server') change(this.toClient)
  }

  #write(bytes: Buffer): void {
    if (this.#captured !== null) return void this.#captured.push(bytes)
    this.toClient.push(bytes)
    if (this.#belated === null) return
    this.toClient.push(this.#belated)
    this.#belated = null
  }

  /** Behind what was written: a reset could overtake it. */
  #end(): void {
    this.toClient.close()
    this.toServer.close()
    this.link.handleClosed()
    this.#wire.end()
  }
}

/** A frame too short for any header. */
const usualGarbage = '00000003c0ffee'

interface Shape {
  /** Pieces are at most so long, */
  readonly bytesMax: number
  /** and so far apart at least. */
  readonly gapMs: number
  readonly lagMs: number
  readonly glueMs: number
}

const plain: Shape = { bytesMax: Infinity, gapMs: 0, lagMs: 0, glueMs: 0 }

/** Bytes, or something to do behind them, due at a time. */
interface Item {
  readonly atMs: number
  readonly bytes: Buffer | null
  readonly run: () => void
}

/** One direction of a connection. */
class Pipe {
  readonly #clock: Clock
  readonly #deliver: (bytes: Buffer) => void
  #shape = plain
  #isClosed = false
  #heldUntilMs = 0
  #gluedUntilMs = 0
  #bytesLeft = Infinity
  #cut: () => void = () => undefined
  #items: Item[] = []
  #timer: Timer | null = null

  constructor(clock: Clock, deliver: (bytes: Buffer) => void) {
    this.#clock = clock
    this.#deliver = deliver
  }

  /** The bytes are copied if they have to wait. */
  push(bytes: Buffer): void {
    if (this.#isClosed) return
    if (this.#shape === plain && this.#isIdle) return this.#arrive(bytes)
    const atMs = this.#dueMs()
    const { bytesMax } = this.#shape
    for (let at = 0; at < bytes.length; at += bytesMax) {
      const slice = Buffer.from(bytes.subarray(at, Math.min(bytes.length, at + bytesMax)))
      this.#items.push({ atMs, bytes: slice, run: () => this.#arrive(slice) })
    }
    this.#arm()
  }

  /** Does something behind everything that was pushed before. */
  then(run: () => void): void {
    if (this.#isClosed) return
    if (this.#isIdle) return run()
    this.#items.push({ atMs: this.#dueMs(), bytes: null, run })
    this.#arm()
  }

  /** What is pushed from now on waits so long at least. */
  hold(ms: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, this.#clock.nowMs() + ms)
  }

  shape(shape: Partial<Shape>): void {
    this.#shape = { ...this.#shape, ...shape }
  }

  /** So many more bytes arrive, and then the connection ends. */
  cutAfter(bytes: number, cut: () => void): void {
    this.#bytesLeft = bytes
    this.#cut = cut
    if (bytes === 0) cut()
  }

  /** Nothing arrives any more, and nobody is told. */
  close(): void {
    this.#isClosed = true
    this.#items = []
    this.#timer?.cancel()
    this.#timer = null
  }

  get #isIdle(): boolean {
    return this.#items.length === 0 && this.#heldUntilMs <= this.#clock.nowMs()
  }

  #dueMs(): number {
    const { lagMs, glueMs } = this.#shape
    const nowMs = this.#clock.nowMs()
    if (nowMs >= this.#gluedUntilMs) this.#gluedUntilMs = nowMs + glueMs
    return Math.max(nowMs + lagMs, this.#gluedUntilMs, this.#heldUntilMs)
  }

  #arm(atMs = this.#items[0]?.atMs): void {
    if (this.#timer !== null || atMs === undefined) return
    this.#timer = this.#clock.timer(atMs, () => {
      this.#timer = null
      this.#release()
    })
  }

  /** All that is due, or with a gap between pieces one of them. */
  #release(): void {
    const nowMs = this.#clock.nowMs()
    const { gapMs, glueMs } = this.#shape
    do {
      if (glueMs > 0) this.#glue(nowMs)
      this.#items.shift()?.run()
    } while (gapMs === 0 && (this.#items[0]?.atMs ?? Infinity) <= nowMs)
    const next = this.#items[0]
    if (next !== undefined) this.#arm(Math.max(next.atMs, nowMs + gapMs))
  }

  /** Makes one item of all bytes that are due. */
  #glue(nowMs: number): void {
    const end = this.#items.findIndex(({ atMs, bytes }) => bytes === null || atMs > nowMs)
    const due = this.#items.splice(0, end === -1 ? this.#items.length : end)
    if (due.length === 0) return
    const bytes = Buffer.concat(due.flatMap((item) => item.bytes ?? []))
    this.#items.unshift({ atMs: nowMs, bytes, run: () => this.#arrive(bytes) })
  }

  #arrive(bytes: Buffer): void {
    const isLast = bytes.length >= this.#bytesLeft
    const arrived = isLast ? bytes.subarray(0, this.#bytesLeft) : bytes
    this.#bytesLeft -= arrived.length
    if (arrived.length > 0) this.#deliver(arrived)
    if (isLast) this.#cut()
  }
}
