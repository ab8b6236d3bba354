/** One direction of a connection: bytes go in, and arrive late, in pieces, together, or not at all. */
import { type Clock, type Timer } from './clock.ts'

/** How bytes arrive. */
export interface Shape {
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

/** Passes bytes on at once, unless its shape says otherwise. */
export class Pipe {
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
  behind(run: () => void): void {
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
