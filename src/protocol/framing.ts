/**
 * Cuts a stream of chunks into frames: a length of four bytes, then that many bytes.
 *
 * Invariant, at every return: each byte pushed so far lies in exactly one of these, in this order:
 * frames handed out, the incomplete frame kept here, the part of the chunk not looked at yet.
 */
import { ProtocolError } from './errors.ts'

const prefixBytes = 4

/** What is kept of a frame over the limit: enough to tell which request it answers. */
const headerBytes = 16

export class FrameSplitter {
  /** The frame that `next()` found: `bytes` from `start` up to `end`. Valid until the next call. */
  bytes: Buffer = Buffer.alloc(0)
  start = 0
  end = 0
  /** The length the frame announced. More than `end - start` if only its header was kept. */
  length = 0

  /**
   * Longer frames are not buffered: `next()` hands out their first 16 bytes and skips the rest. A new
   * limit holds for the frames whose length has not been seen yet.
   */
  frameBytesMax: number

  #chunk: Buffer = this.bytes
  #chunkEnd = 0
  #offset = 0
  /** The frame that began in an earlier chunk: its prefix, then as much of it as has come. */
  #partial: Buffer | null = null
  #filled = 0
  #skipBytes = 0

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax
  }

  /** Takes the next bytes of the stream. They are read in place until `next()` returns false. */
  push(chunk: Buffer, length: number = chunk.length): void {
    this.#chunk = chunk
    this.#chunkEnd = length
    this.#offset = 0
  }

  /**
   * Finds the next complete frame.
   *
   * @returns false if there is none before the next `push`.
   * @throws {ProtocolError} if a length is negative.
   */
  next(): boolean {
    this.#skip()
    if (this.#partial !== null) return this.#nextOfPartial(this.#partial)
    const available = this.#chunkEnd - this.#offset
    if (available >= prefixBytes) {
      const kept = this.#keptBytes(this.#chunk, this.#offset)
      if (available >= prefixBytes + kept) {
        this.#handOut(this.#chunk, this.#offset + prefixBytes, kept)
        this.#offset += prefixBytes + kept
        return true
      }
      this.#keep(Buffer.allocUnsafeSlow(prefixBytes + kept))
    } else if (available > 0) {
      this.#keep(Buffer.allocUnsafeSlow(prefixBytes))
    }
    return false
  }

  /** Continues a frame of an earlier chunk; its buffer grows once, when the prefix is complete. */
  #nextOfPartial(partial: Buffer): boolean {
    this.#fill(partial)
    if (this.#filled < partial.length) return false
    let whole = partial
    if (partial.length === prefixBytes) {
      whole = Buffer.allocUnsafeSlow(prefixBytes + this.#keptBytes(partial, 0))
      partial.copy(whole, 0, 0, prefixBytes)
      this.#partial = whole
      this.#fill(whole)
      if (this.#filled < whole.length) return false
    }
    this.#handOut(whole, prefixBytes, whole.length - prefixBytes)
    this.#partial = null
    return true
  }

  /** The bytes of a frame that are worth keeping: all of them, or its header if it is too long. */
  #keptBytes(bytes: Buffer, at: number): number {
    this.length =
      (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    if (this.length < 0) throw new ProtocolError(`a frame announces ${this.length} bytes`)
    return this.length <= this.frameBytesMax ? this.length : Math.min(this.length, headerBytes)
  }

  #handOut(bytes: Buffer, start: number, kept: number): void {
    this.bytes = bytes
    this.start = start
    this.end = start + kept
    this.#skipBytes = this.length - kept
  }

  #keep(partial: Buffer): void {
    this.#partial = partial
    this.#filled = 0
    this.#fill(partial)
  }

  #fill(partial: Buffer): void {
    const from = this.#offset
    this.#offset = Math.min(this.#chunkEnd, from + partial.length - this.#filled)
    this.#filled += this.#chunk.copy(partial, this.#filled, from, this.#offset)
  }

  #skip(): void {
    const skipped = Math.min(this.#skipBytes, this.#chunkEnd - this.#offset)
    this.#skipBytes -= skipped
    this.#offset += skipped
  }
}
