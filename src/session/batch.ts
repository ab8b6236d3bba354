/**
 * The requests of one turn, encoded one behind the other, on their way to the socket.
 *
 * Two writers take turns. While the socket holds the memory of one, requests go into the other; a
 * batch is taken only when the one before it has left.
 */
import { type Borrowed, type Writer } from '../protocol/bytes.ts'
import { type Call, Phase } from './call.ts'
import { appendFrame, copyFrame, encodeFrame, newWriter } from './frame.ts'

/** A writer that grew beyond this is left to the collector after it was used. */
const keptBytesMax = 512 * 1024

export class Batch {
  /** In the order of their frames. */
  calls: Call[] = []
  #writer = newWriter()
  #spare: Writer | null = null
  #taken: Writer | null = null
  #borrowedBytes = 0
  #hasDropped = false
  readonly #frameBytesMax: number

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax
  }

  /** Bytes that the next `take` hands out. */
  get length(): number {
    return this.#writer.offset + this.#borrowedBytes
  }

  /**
   * Puts the request of a call behind the others, or what was made of it.
   *
   * @throws what {@link encodeFrame} throws. The batch is then as it was.
   */
  add(call: Call, xid: number, request: unknown = call.request): void {
    const writer = this.#writer
    const start = writer.offset
    const borrowedBefore = writer.borrowed.length
    const lengthBefore = this.length
    if (call.frame === null) encodeFrame(writer, call, request, xid, this.#frameBytesMax)
    else appendFrame(writer, call.frame, xid)
    for (let i = borrowedBefore; i < writer.borrowed.length; i++) {
      this.#borrowedBytes += writer.borrowed[i]!.bytes.length
    }
    call.frame = null
    call.xid = xid
    call.phase = Phase.batched
    call.batchStart = start
    call.batchEnd = writer.offset
    if (call.trace !== null) call.trace.bytesOut = this.length - lengthBefore
    this.calls.push(call)
  }

  /** A call of this batch was settled: its frame will not be sent. */
  drop(): void {
    this.#hasDropped = true
  }

  /**
   * Hands the batch out as the parts to write in order, and the calls that are in them. `release`
   * must follow when the parts have left.
   */
  take(): { parts: Uint8Array[]; calls: readonly Call[] } {
    if (this.#hasDropped) this.#compact()
    const writer = this.#writer
    const calls = this.calls
    this.#taken = writer
    this.#writer = this.#spare ?? newWriter()
    this.#spare = null
    this.calls = []
    this.#borrowedBytes = 0
    return { parts: partsOf(writer.written, writer.borrowed), calls }
  }

  /** The parts handed out last have left: their memory may be written to again. */
  release(): void {
    const writer = this.#taken
    this.#taken = null
    if (writer === null || writer.bytes.length > keptBytesMax) return
    writer.rewind(0)
    this.#spare = writer
  }

  /** Empties the batch. Writes keep their frames; the requests of others can be encoded again. */
  drain(): Call[] {
    const calls = this.calls
    for (const call of calls) {
      if (call.phase === Phase.settled || call.operation.effect !== 'write') continue
      call.frame = copyFrame(this.#writer, call.batchStart, call.batchEnd)
    }
    this.#writer.rewind(0)
    this.calls = []
    this.#borrowedBytes = 0
    this.#hasDropped = false
    return calls
  }

  /** Moves the frames that are still wanted together. */
  #compact(): void {
    const writer = this.#writer
    const borrowed: Borrowed[] = []
    let end = 0
    this.calls = this.calls.filter((call) => call.phase !== Phase.settled)
    for (const call of this.calls) {
      const shift = call.batchStart - end
      for (const { at, bytes } of writer.borrowed) {
        if (at > call.batchStart && at <= call.batchEnd) borrowed.push({ at: at - shift, bytes })
      }
      writer.bytes.copyWithin(end, call.batchStart, call.batchEnd)
      end = call.batchEnd - shift
    }
    writer.rewind(0)
    writer.offset = end
    writer.borrowed.push(...borrowed)
    this.#hasDropped = false
  }
}

function partsOf(bytes: Buffer, borrowed: readonly Borrowed[]): Uint8Array[] {
  if (borrowed.length === 0) return bytes.length === 0 ? [] : [bytes]
  const parts: Uint8Array[] = []
  let from = 0
  for (const { at, bytes: payload } of borrowed) {
    parts.push(bytes.subarray(from, at), payload)
    from = at
  }
  parts.push(bytes.subarray(from))
  return parts
}
