/**
 * The connection between a socket and a {@link Link}: passes everything on at once, unless faults have
 * made it slow, silent or short.
 */
import { type Clock } from './clock.ts'
import { type FaultDirection, type LinkFault } from './fault-plan.ts'
import { type Link, type Wire } from './link.ts'
import { Pipe, type Shape } from './pipe.ts'

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
      end: () => this.toClient.behind(() => wire.end()),
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
    this.toServer.behind(() => this.link.handleClosed())
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

  /** Whatever comes in waits until the function that is returned is called: behind what that runs first. */
  stall(): (first?: () => void) => void {
    const stalled: (() => void)[] = []
    this.#stalled = stalled
    return (first) => {
      this.#stalled = null
      try {
        first?.()
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
      case 'garbage':
        return this.toClient.push(Buffer.from(fault.hex ?? usualGarbage, 'hex'))
      default:
        return this.#each(fault.direction, (pipe) => pipe.shape(shapeOf(fault)))
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

type ShapingFault = Exclude<LinkFault, { readonly do: 'silence' | 'cut' | 'garbage' }>

function shapeOf(fault: ShapingFault): Partial<Shape> {
  switch (fault.do) {
    case 'slow':
      return lineOf(fault.bytesPerSecond)
    case 'lag':
      return { lagMs: fault.ms }
    case 'slice':
      return { bytesMax: fault.bytes, gapMs: 1 }
    case 'glue':
      return { glueMs: fault.ms }
  }
}

/** A piece every ten milliseconds; fewer, where that would be less than a byte. */
function lineOf(bytesPerSecond: number): Partial<Shape> {
  const bytesMax = Math.max(1, Math.round(bytesPerSecond / 100))
  return { bytesMax, gapMs: (1000 * bytesMax) / bytesPerSecond }
}
