import { describe, expect, test } from 'vitest'
import { type Codec, Reader, Writer } from '../../../src/protocol/bytes.ts'
import { ProtocolError } from '../../../src/protocol/errors.ts'
import { WhoAmIResponse } from '../../../src/protocol/records.ts'
import { bytesOfHex } from '../../support/frames.ts'

describe('Reader', () => {
  test('takes every byte but 0 for true', () => {
    const reader = readerOf('00 01 02 ff')
    const values = [reader.bool(), reader.bool(), reader.bool(), reader.bool()]
    expect(values).toEqual([false, true, true, true])
  })

  test('tells null from empty', () => {
    const reader = readerOf('ffffffff 00000000 ffffffff 00000000')
    expect(reader.buffer()).toBeNull()
    expect(reader.buffer()).toEqual(Buffer.alloc(0))
    expect(reader.nullableUstring()).toBeNull()
    expect(reader.nullableUstring()).toBe('')
  })

  test('hands out a copy of a buffer', () => {
    const bytes = bytesOfHex('00000002 0102')
    const copy = new Reader().reset(bytes, 0, 6).buffer()
    bytes.fill(9)
    expect(copy).toEqual(Buffer.from([1, 2]))
  })

  test('refuses a null string where the schema has none', () => {
    expect(() => readerOf('ffffffff').ustring()).toThrow(ProtocolError)
  })

  test('reads a null vector as an empty one', () => {
    expect(readerOf('ffffffff').ustringVector()).toEqual([])
    expect(readerOf('ffffffff').vector(int)).toEqual([])
  })

  test.for(['fffffffe', '80000000'])('refuses the length %s, which is negative', (hex) => {
    for (const read of variableKinds) {
      expect(() => read(readerOf(`${hex} 00000000`))).toThrow('a length is negative')
    }
  })

  test.for(['00000005', '7fffffff'])('refuses the length %s, which passes the end', (hex) => {
    for (const read of variableKinds) {
      expect(() => read(readerOf(`${hex} 00000000`))).toThrow(ProtocolError)
    }
  })

  test('refuses a count that cannot be true before it reads a single item', () => {
    let reads = 0
    const counting: Codec<number> = { ...int, bytesMin: 4, read: () => reads++ }
    expect(() => readerOf('00000002 00000000 000000').vector(counting)).toThrow(
      'a vector of 2 items does not fit into its frame',
    )
    expect(reads).toBe(0)
  })

  test('accepts a count that fits to the byte', () => {
    expect(readerOf('00000002 00000007 00000008').vector(int)).toEqual([7, 8])
    expect(readerOf('00000002 00000000 00000000').ustringVector()).toEqual(['', ''])
  })

  test('turns from one memory to another and back', () => {
    const [first, second] = [bytesOfHex('00000001 00000002'), bytesOfHex('00000003')]
    const reader = new Reader()
    const seen = [first, second, first].map((bytes) => reader.reset(bytes, 0, 4).int())
    expect(seen).toEqual([1, 3, 1])
  })

  test('reads times beyond 32 bits and before 1970 exactly', () => {
    const reader = readerOf('0000018bcfe56800 ffffffffffffffff 001fffffffffffff')
    const times = [reader.millis(), reader.millis(), reader.millis()]
    expect(times).toEqual([1_700_000_000_000, -1, Number.MAX_SAFE_INTEGER])
  })
})

describe('a string', () => {
  test('may have its characters beyond U+FFFF as two surrogates, as Apache ZooKeeper sends them', () => {
    // The answer of a server 3.9.5 to whoAmI, after `auth digest a😀é:pw`.
    const body = bytesOfHex(`00000002
      00000006 646967657374 00000009 61eda0bdedb880c3a9
      00000002 6970 00000009 3132372e302e302e31`)
    expect(WhoAmIResponse.read(new Reader().reset(body, 0, body.length))).toEqual({
      clientInfo: [
        { authScheme: 'digest', user: 'a\u{1f600}é' },
        { authScheme: 'ip', user: '127.0.0.1' },
      ],
    })
  })

  test.for([
    ['the lowest pair', 'eda080 edb080', '\u{10000}'],
    ['the highest pair', 'edafbf edbfbf', '\u{10ffff}'],
    ['two pairs', 'eda0bd edb880 eda0bd edb881', '\u{1f600}\u{1f601}'],
    ['a pair between letters', '61 eda0bd edb880 62', 'a\u{1f600}b'],
    [
      'a pair and the last character before the surrogates',
      'eda0bd edb880 ed9fbf',
      '\u{1f600}\ud7ff',
    ],
    ['a real U+FFFD', 'efbfbd', '\ufffd'],
    ['a real U+FFFD and a pair', 'efbfbd eda0bd edb880', '\ufffd\u{1f600}'],
    ['a pair behind a byte that is none of UTF-8', 'ff eda0bd edb880', '\ufffd\u{1f600}'],
  ] as const)('decodes %s', ([, hex, text]) => {
    expect(stringOf(hex)).toBe(text)
  })

  test.for([
    ['a high surrogate alone', 'eda0bd'],
    ['a low surrogate alone', 'edb880'],
    ['a low surrogate before a high one', 'edb880 eda0bd'],
    ['two high surrogates', 'eda0bd eda0bd'],
    ['a pair without its last byte', 'eda0bd edb8'],
    ['a pair whose low half begins with another byte', 'eda0bd eeb880'],
    ['a pair whose last byte continues nothing', 'eda0bd edb8c0'],
    ['a pair whose third byte continues nothing', 'eda07f edb880'],
    ['a pair whose second byte is out of range', 'ede0bd edb880'],
  ] as const)('decodes %s as UTF-8 decoders do', ([, hex]) => {
    const text = stringOf(hex)
    expect(text).toBe(bytesOfHex(hex).toString('utf8'))
    expect(text).toContain('\ufffd')
  })

  test('does not take bytes behind its end for the second half of a pair', () => {
    const reader = readerOf('00000003 eda0bd edb880')
    expect(reader.ustring()).toBe('\ufffd\ufffd\ufffd')
    expect(reader.remaining).toBe(3)
  })

  test('is written as standard UTF-8', () => {
    const writer = new Writer()
    writer.ustring('a\u{1f600}é')
    expect(writer.written).toEqual(bytesOfHex('00000007 61 f09f9880 c3a9'))
  })

  test('is written with U+FFFD for a surrogate without its other half', () => {
    const writer = new Writer()
    writer.ustring('\ud83d')
    expect(writer.written).toEqual(bytesOfHex('00000003 efbfbd'))
  })
})

describe('Writer', () => {
  test('keeps what was written when it grows', () => {
    const writer = new Writer(1)
    writer.long(-2n)
    writer.bool(true)
    writer.nullableUstring(null)
    writer.nullableUstring('abc')
    writer.millis(-1)
    writer.raw(Buffer.from([7]))
    writer.buffer(Buffer.alloc(2))
    expect(writer.written).toEqual(
      bytesOfHex(`fffffffffffffffe 01 ffffffff 00000003 616263 ffffffffffffffff 07
        00000002 0000`),
    )
  })

  test('takes any Uint8Array for a payload, not only a Buffer', () => {
    const writer = new Writer()
    writer.buffer(new Uint8Array([0, 1, 2, 3]).subarray(1, 3))
    expect(writer.written).toEqual(bytesOfHex('00000002 0102'))
  })

  test('copies a payload up to inlineBytesMax and borrows a longer one', () => {
    const writer = new Writer(64, 3)
    const [short, long] = [Buffer.alloc(3, 1), Buffer.alloc(4, 2)]
    writer.buffer(short)
    writer.buffer(long)
    expect(writer.written).toEqual(bytesOfHex('00000003 010101 00000004'))
    expect(writer.borrowed).toEqual([{ at: 11, bytes: long }])
    expect(writer.borrowed[0]!.bytes).toBe(long)
  })

  test('counts what a frame borrows into its length, and nothing that another frame does', () => {
    const writer = new Writer(64, 3)
    const first = frameWith(writer, Buffer.alloc(10))
    const second = frameWith(writer, Buffer.alloc(20))
    const third = frameWith(writer, Buffer.alloc(1))
    const lengths = [first, second, third].map((start) => writer.written.readInt32BE(start))
    expect(lengths).toEqual([4 + 10, 4 + 20, 4 + 1])
  })

  test.for([
    ['copied', Infinity],
    ['borrowed', 0],
  ] as const)('refuses a frame of one byte too many with a payload %s', ([, inlineBytesMax]) => {
    const writer = new Writer(64, inlineBytesMax)
    const start = writer.beginFrame()
    writer.buffer(Buffer.alloc(6))
    expect(() => writer.endFrame(start, 9)).toThrow(
      expect.objectContaining({ code: 'REQUEST_TOO_LARGE', outcome: 'not-applied' }),
    )
    writer.endFrame(start, 10)
    expect(writer.written.readInt32BE(start)).toBe(10)
  })

  test('rewinds a frame with what it borrows, and leaves the one before it', () => {
    const writer = new Writer(64, 0)
    const payload = Buffer.alloc(5)
    frameWith(writer, payload)
    const before = Buffer.from(writer.written)
    const start = writer.beginFrame()
    expect(start, 'the first frame ends in its payload').toBe(writer.borrowed[0]!.at)
    writer.buffer(Buffer.alloc(6))
    writer.buffer(Buffer.alloc(7))
    writer.rewind(start)
    expect(writer.written).toEqual(before)
    expect(writer.borrowed).toEqual([{ at: start, bytes: payload }])
  })

  test('is empty after a rewind to 0', () => {
    const writer = new Writer(64, 0)
    frameWith(writer, Buffer.alloc(5))
    writer.rewind(0)
    expect(writer).toMatchObject({ offset: 0, borrowed: [] })
  })
})

const int: Codec<number> = {
  name: 'int',
  bytesMin: 4,
  write: (writer, value) => writer.int(value),
  read: (reader) => reader.int(),
}

const variableKinds: readonly ((reader: Reader) => unknown)[] = [
  (reader) => reader.ustring(),
  (reader) => reader.nullableUstring(),
  (reader) => reader.buffer(),
  (reader) => reader.ustringVector(),
  (reader) => reader.vector(int),
]

function readerOf(hex: string): Reader {
  const bytes = bytesOfHex(hex)
  return new Reader().reset(bytes, 0, bytes.length)
}

function stringOf(hex: string): string {
  const bytes = bytesOfHex(hex)
  const writer = new Writer()
  writer.buffer(bytes)
  return new Reader().reset(writer.written, 0, writer.offset).ustring()
}

function frameWith(writer: Writer, payload: Buffer): number {
  const start = writer.beginFrame()
  writer.buffer(payload)
  writer.endFrame(start, Infinity)
  return start
}
