/**
 * Jute's primitives, big-endian and without tags, between JavaScript values and bytes.
 *
 * `Reader` and `Writer` are what the generated codecs of `records.ts` are written against. Both keep
 * one `DataView` per Buffer object: `DataView.getBigInt64` is several times faster than
 * `Buffer.readBigInt64BE`, and making a view costs more than most fields.
 */
import { ProtocolError, ZooKeeperError } from './errors.ts'

/** How one kind of record is put on the wire and taken off it. */
export interface Codec<T> {
  readonly name: string
  /** The fewest bytes an encoding can have: what bounds a vector's count before anything is read. */
  readonly bytesMin: number
  write(writer: Writer, value: T): void
  /** @throws {ProtocolError} if the bytes end before the record does, or a length is impossible. */
  read(reader: Reader): T
}

/** The record without fields: a request that is only its header, a reply that is only its header. */
export const Empty: Codec<undefined> = {
  name: 'Empty',
  bytesMin: 0,
  write: () => undefined,
  read: () => undefined,
}

const noBytes = Buffer.alloc(0)

/** Up to here a loop over the characters is faster than the step out of JavaScript. */
const asciiLengthMax = 24

/** Reads one frame in place. Nothing it returns refers to the frame's memory, which may be reused. */
export class Reader {
  bytes: Buffer = noBytes
  view: DataView = viewOf(noBytes)
  offset = 0
  end = 0

  /** Turns to the bytes from `start` up to `end`. */
  reset(bytes: Buffer, start: number, end: number): this {
    if (this.bytes !== bytes) {
      this.bytes = bytes
      this.view = viewOf(bytes)
    }
    this.offset = start
    this.end = end
    return this
  }

  get remaining(): number {
    return this.end - this.offset
  }

  /** Claims the next `count` bytes and returns where they start: one check for a run of fields. */
  take(count: number): number {
    const start = this.offset
    if (count > this.end - start) throw new ProtocolError('a frame ends before its record does')
    this.offset = start + count
    return start
  }

  int(): number {
    return this.view.getInt32(this.take(4))
  }

  long(): bigint {
    return this.view.getBigInt64(this.take(8))
  }

  millis(): number {
    return millisAt(this.view, this.take(8))
  }

  bool(): boolean {
    return this.view.getUint8(this.take(1)) !== 0
  }

  ustring(): string {
    const text = this.nullableUstring()
    if (text === null) throw new ProtocolError('a string is null where one is required')
    return text
  }

  nullableUstring(): string | null {
    const length = this.#length()
    if (length === -1) return null
    const start = this.take(length)
    const text = this.bytes.toString('utf8', start, start + length)
    return text.includes('\ufffd') ? decodeLeniently(this.bytes, start, start + length) : text
  }

  /** A copy: the frame's memory belongs to the connection and is overwritten by the next read. */
  buffer(): Buffer | null {
    const length = this.#length()
    if (length === -1) return null
    const start = this.take(length)
    const copy = Buffer.allocUnsafe(length)
    this.bytes.copy(copy, 0, start, start + length)
    return copy
  }

  /** A null vector reads as an empty one, as servers treat it. */
  vector<T>(codec: Codec<T>): T[] {
    const items: T[] = []
    for (let left = this.#count(codec.bytesMin); left > 0; left--) items.push(codec.read(this))
    return items
  }

  ustringVector(): string[] {
    const items: string[] = []
    for (let left = this.#count(4); left > 0; left--) items.push(this.ustring())
    return items
  }

  #length(): number {
    const length = this.int()
    if (length < -1) throw new ProtocolError(`a length is negative: ${length}`)
    return length
  }

  /** Refuses a count that the rest of the frame cannot hold, before a loop believes it. */
  #count(itemBytesMin: number): number {
    const count = this.#length()
    if (count * itemBytesMin > this.remaining) {
      throw new ProtocolError(`a vector of ${count} items does not fit into its frame`)
    }
    return count === -1 ? 0 : count
  }
}

/** Bytes that stand at `at` of a {@link Writer}'s own bytes without having been copied there. */
export interface Borrowed {
  at: number
  readonly bytes: Uint8Array
}

/** Encodes records, one behind the other, into a buffer that it owns and grows on demand. */
export class Writer {
  bytes: Buffer
  view: DataView
  offset = 0
  /** Payloads that go out beside `bytes`, in order. Only those longer than `inlineBytesMax`. */
  readonly borrowed: Borrowed[] = []
  readonly #inlineBytesMax: number

  constructor(bytesInitial = 1024, inlineBytesMax = Infinity) {
    this.bytes = Buffer.allocUnsafeSlow(bytesInitial)
    this.view = viewOf(this.bytes)
    this.#inlineBytesMax = inlineBytesMax
  }

  /** What was written since the writer was last empty, without what was borrowed. It is overwritten
   * by what follows. */
  get written(): Buffer {
    return this.bytes.subarray(0, this.offset)
  }

  /** Makes room for `count` bytes, claims them, and returns where they start. */
  reserve(count: number): number {
    const start = this.offset
    if (start + count > this.bytes.length) this.#grow(start + count)
    this.offset = start + count
    return start
  }

  int(value: number): void {
    const at = this.reserve(4)
    this.view.setInt32(at, value)
  }

  long(value: bigint): void {
    const at = this.reserve(8)
    this.view.setBigInt64(at, value)
  }

  millis(value: number): void {
    const at = this.reserve(8)
    setMillisAt(this.view, at, value)
  }

  bool(value: boolean): void {
    const at = this.reserve(1)
    this.view.setUint8(at, value ? 1 : 0)
  }

  ustring(value: string): void {
    // No UTF-16 unit needs more than three bytes of UTF-8.
    const at = this.reserve(4 + value.length * 3)
    let length = value.length <= asciiLengthMax ? writeAscii(this.bytes, at + 4, value) : -1
    if (length === -1) length = this.bytes.write(value, at + 4, 'utf8')
    this.view.setInt32(at, length)
    this.offset = at + 4 + length
  }

  nullableUstring(value: string | null): void {
    if (value === null) this.int(-1)
    else this.ustring(value)
  }

  buffer(value: Uint8Array | null): void {
    if (value === null) {
      this.int(-1)
    } else if (value.length > this.#inlineBytesMax) {
      this.int(value.length)
      this.borrowed.push({ at: this.offset, bytes: value })
    } else {
      const at = this.reserve(4 + value.length)
      this.view.setInt32(at, value.length)
      this.bytes.set(value, at + 4)
    }
  }

  raw(value: Uint8Array): void {
    const at = this.reserve(value.length)
    this.bytes.set(value, at)
  }

  vector<T>(items: readonly T[], codec: Codec<T>): void {
    this.int(items.length)
    for (const item of items) codec.write(this, item)
  }

  ustringVector(items: readonly string[]): void {
    this.int(items.length)
    for (const item of items) this.ustring(item)
  }

  /** Reserves the length prefix of a frame and returns where the frame starts. */
  beginFrame(): number {
    return this.reserve(4)
  }

  /**
   * Writes the length prefix of the frame begun at `start`.
   *
   * @throws {ZooKeeperError} `REQUEST_TOO_LARGE` if the frame is longer than `bytesMax`. The frame is
   * still there then: {@link rewind} removes it.
   */
  endFrame(start: number, bytesMax: number): void {
    const length = this.offset - start - 4 + this.#borrowedBytesFrom(start)
    if (length > bytesMax) {
      const detail = `the request has ${length} bytes; servers accept ${bytesMax}`
      throw new ZooKeeperError('REQUEST_TOO_LARGE', { detail })
    }
    this.view.setInt32(start, length)
  }

  /** Forgets everything from `start` on, so that a bad argument leaves no half a frame behind. */
  rewind(start: number): void {
    this.offset = start
    while ((this.borrowed.at(-1)?.at ?? -1) > start) this.borrowed.pop()
  }

  #borrowedBytesFrom(start: number): number {
    let sum = 0
    for (let i = this.borrowed.length - 1; i >= 0; i--) {
      const { at, bytes } = this.borrowed[i]!
      if (at <= start) break
      sum += bytes.length
    }
    return sum
  }

  #grow(bytesNeeded: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(bytesNeeded, this.bytes.length * 2))
    this.bytes.copy(grown, 0, 0, this.offset)
    this.bytes = grown
    this.view = viewOf(grown)
  }
}

/** A 64-bit count of milliseconds as a number: exact for the next 280,000 years. */
export function millisAt(view: DataView, at: number): number {
  return view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4)
}

export function setMillisAt(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / 0x1_0000_0000))
  view.setUint32(at + 4, value)
}

/** Writes text that is ASCII, as most paths are; returns its length, or -1 if it is not. */
function writeAscii(bytes: Buffer, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return -1
    bytes[at + i] = unit
  }
  return text.length
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/**
 * Servers write a character beyond U+FFFF as two surrogates of three bytes each (CESU-8), which
 * UTF-8 decoders refuse. Only text that did not decode cleanly comes here.
 */
function decodeLeniently(bytes: Buffer, start: number, end: number): string {
  let text = ''
  let plainFrom = start
  for (let at = start; at + 6 <= end; at++) {
    const high = surrogateAt(bytes, at)
    const low = surrogateAt(bytes, at + 3)
    if (high >= 0xd800 && high < 0xdc00 && low >= 0xdc00) {
      text += bytes.toString('utf8', plainFrom, at) + String.fromCharCode(high, low)
      plainFrom = at + 6
      at += 5
    }
  }
  return text + bytes.toString('utf8', plainFrom, end)
}

/** The UTF-16 surrogate that the three bytes at `at` encode, or -1. */
function surrogateAt(bytes: Buffer, at: number): number {
  const second = bytes[at + 1]!
  const third = bytes[at + 2]!
  if (bytes[at] !== 0xed || second < 0xa0 || second > 0xbf || third < 0x80 || third > 0xbf)
    return -1
  return 0xd000 | ((second & 0x3f) << 6) | (third & 0x3f)
}
