import { type Call, Phase } from './call.ts'
import { CallQueue } from './call-queue.ts'
import { frameLength } from './frame.ts'

/** What a waiting call costs besides its frame; an estimate that keeps the limit honest. */
const callBytes = 256

/** Calls that wait for a link or for room, in call order, within a limit of bytes. */
export class HeldCalls {
  readonly #queue = new CallQueue()
  readonly #bytesMax: number
  #bytes = 0
  /** Those that have ended, and keep their place until their turn. */
  #settled = 0
  /** Those who wait until there is room again. */
  readonly #awaitingRoom = new Set<() => void>()

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Including those that have ended meanwhile. */
  get length(): number {
    return this.#queue.length
  }

  at(index: number): Call {
    return this.#queue.at(index)
  }

  [Symbol.iterator](): Generator<Call, void> {
    return this.#queue[Symbol.iterator]()
  }

  /** Those that do wait, and their bytes. */
  get counts(): { readonly calls: number; readonly bytes: number } {
    return { calls: this.#queue.length - this.#settled, bytes: this.#bytes }
  }

  admits(call: Call): boolean {
    return this.#bytes + heldBytesOf(call) <= this.#bytesMax
  }

  push(call: Call): void {
    call.phase = Phase.held
    call.heldBytes = heldBytesOf(call)
    this.#bytes += call.heldBytes
    this.#queue.push(call)
  }

  /** Puts these before all others. */
  prepend(first: readonly Call[]): void {
    if (first.length === 0) return
    for (const call of [...first, ...this.drain()]) this.push(call)
  }

  /** The oldest call, taken out. It may have ended. */
  shift(): Call {
    const call = this.#queue.shift()
    if (call.phase === Phase.settled) this.#settled--
    else this.#bytes -= call.heldBytes
    return call
  }

  /** Takes all calls out that have not ended, oldest first. */
  drain(): Call[] {
    const calls: Call[] = []
    while (this.length > 0) {
      const call = this.shift()
      if (call.phase !== Phase.settled) calls.push(call)
    }
    return calls
  }

  /** A call is about to end early: it keeps its place, but gives its bytes back at once. */
  forget(call: Call): void {
    this.#bytes -= call.heldBytes
    this.#settled++
    call.frame = null
    this.tellRoom()
  }

  /** Most of those that keep a place have ended: the others move up. */
  sweep(): void {
    if (this.#settled <= 64 || this.#settled * 2 <= this.length) return
    for (const call of this.drain()) this.push(call)
  }

  /** Whether half of what may wait is free. */
  get isRoomy(): boolean {
    return this.#bytes <= this.#bytesMax / 2
  }

  /** Calls `tell` once it is roomy. @returns what to call if nobody wants to know any more. */
  onRoom(tell: () => void): () => void {
    this.#awaitingRoom.add(tell)
    this.tellRoom()
    return () => {
      this.#awaitingRoom.delete(tell)
    }
  }

  tellRoom(): void {
    if (this.#awaitingRoom.size === 0 || !this.isRoomy) return
    const awaiting = [...this.#awaitingRoom]
    this.#awaitingRoom.clear()
    for (const tell of awaiting) tell()
  }
}

function heldBytesOf(call: Call): number {
  return callBytes + (call.frame === null ? call.path.length : frameLength(call.frame))
}
