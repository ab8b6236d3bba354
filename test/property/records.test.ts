import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Codec, Reader, Writer } from '../../src/protocol/bytes.ts'
import { ProtocolError } from '../../src/protocol/errors.ts'
import * as records from '../../src/protocol/records.ts'
import { schema } from '../../src/protocol/schema.ts'
import { damaged, placed, valueOf } from './schema-arbitraries.ts'
import { decode, encode } from './schema-interpreter.ts'

const codecs: Readonly<Record<string, unknown>> = records

const offset = fc.nat({ max: 9 })

describe.for(Object.keys(schema))('%s', (name) => {
  const codec = codecs[name] as Codec<unknown>
  const value = valueOf(name)

  test('is called what its codec says', () => {
    expect(codec.name).toBe(name)
  })

  test('never takes fewer bytes than bytesMin, and may take as few', () => {
    expect(encode(name, leastValueOf(name))).toHaveLength(codec.bytesMin)
    fc.assert(fc.property(value, (any) => encode(name, any).length >= codec.bytesMin))
  })

  test('is written as the interpreter of the schema writes it, behind whatever came before', () => {
    fc.assert(
      fc.property(value, offset, (any, before) => {
        const writer = new Writer(1)
        writer.raw(Buffer.alloc(before, 0xa5))
        codec.write(writer, any)
        const expected = Buffer.concat([Buffer.alloc(before, 0xa5), encode(name, any)])
        expect(writer.written.toString('hex')).toBe(expected.toString('hex'))
      }),
    )
  })

  test('is read back from anywhere in memory, and the reader stops behind it', () => {
    fc.assert(
      fc.property(value, offset, (any, before) => {
        const { bytes, start } = placed(encode(name, any), before)
        const reader = new Reader().reset(bytes, start, bytes.length)
        expect(codec.read(reader)).toEqual(any)
        expect(reader.offset).toBe(bytes.length - 3)
      }),
    )
  })

  test('does not refer to the memory it was read from', () => {
    fc.assert(
      fc.property(value, (any) => {
        const bytes = encode(name, any)
        const read = codec.read(readerOf(bytes))
        bytes.fill(0xff)
        expect(read).toEqual(any)
      }),
      { numRuns: 20 },
    )
  })

  test('is refused if the frame ends before it does, whatever lies behind the frame', () => {
    fc.assert(
      fc.property(value, (any) => {
        const bytes = encode(name, any)
        const reader = new Reader()
        for (let end = 0; end < bytes.length; end++) {
          expect(() => codec.read(reader.reset(bytes, 0, end))).toThrow(ProtocolError)
        }
      }),
      { numRuns: 20 },
    )
  })

  test('is read from any bytes as the interpreter reads it, or refused as a ProtocolError', () => {
    const encoding = value.map((any) => encode(name, any))
    const noise = fc.uint8Array({ maxLength: 120 }).map((array) => Buffer.from(array))
    fc.assert(
      fc.property(fc.oneof(damaged(encoding), noise), (bytes) => {
        const read = readOrRefuse(codec, bytes)
        if (read === undefined) return
        expect(read).toEqual(decode(name, { bytes, at: 0 }))
        expect(sizeOf(read)).toBeLessThanOrEqual(bytes.length)
      }),
    )
  })
})

test('the schema and the generated records name the same records', () => {
  expect(Object.keys(codecs).sort()).toEqual(Object.keys(schema).sort())
})

describe('Stat', () => {
  test('becomes JSON with every id and zxid as a string of exactly its digits', () => {
    fc.assert(
      fc.property(valueOf('Stat'), (any) => {
        const stat = records.Stat.read(readerOf(encode('Stat', any)))
        const json = JSON.parse(JSON.stringify(stat)) as Record<string, unknown>
        for (const [field, { kind }] of Object.entries(schema['Stat']!.fields)) {
          const exact = stat[field as keyof records.Stat]
          expect(json[field]).toBe(kind === 'long' ? String(exact) : exact)
        }
      }),
    )
  })

  test('is a class, so that it can be told apart', () => {
    const bytes = encode('Stat', leastValueOf('Stat'))
    expect(records.Stat.read(readerOf(bytes))).toBeInstanceOf(records.Stat)
  })
})

function readerOf(bytes: Buffer): Reader {
  return new Reader().reset(bytes, 0, bytes.length)
}

function readOrRefuse(codec: Codec<unknown>, bytes: Buffer): unknown {
  try {
    return codec.read(readerOf(bytes))
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError)
    return undefined
  }
}

/** Numbers 0, texts and lists empty, and null where the schema allows it. */
function leastValueOf(name: string): Record<string, unknown> {
  const least = { int: 0, long: 0n, millis: 0, bool: false, ustring: '' }
  const entries = Object.entries(schema[name]!.fields).map(([field, { kind }]) => {
    if (typeof kind === 'object') return [field, 'record' in kind ? leastValueOf(kind.record) : []]
    return [field, kind in least ? least[kind as keyof typeof least] : null]
  })
  return Object.fromEntries(entries) as Record<string, unknown>
}

/** What a value costs in memory, counted in UTF-16 units, bytes and items. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value.length
  if (Array.isArray(value)) return value.length + sum(value)
  return typeof value === 'object' && value !== null ? sum(Object.values(value)) : 0
}

function sum(values: readonly unknown[]): number {
  return values.reduce<number>((total, value) => total + sizeOf(value), 0)
}
