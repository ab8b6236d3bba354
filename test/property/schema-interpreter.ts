/**
 * A second implementation of every record, as slow and obvious as it can be: it walks the schema with
 * Buffer's own methods. What the generated codecs do is right if it is what this does.
 */
import { type Kind, schema } from '../../src/protocol/schema.ts'

export interface Cursor {
  readonly bytes: Buffer
  at: number
}

/** Concatenates what each field encodes to. */
export function encode(record: string, value: unknown): Buffer {
  const fields = Object.entries(schema[record]!.fields)
  const values = value as Readonly<Record<string, unknown>>
  return Buffer.concat(fields.map(([name, { kind }]) => encodeKind(kind, values[name])))
}

function encodeKind(kind: Kind, value: unknown): Buffer {
  if (typeof kind === 'object' && 'record' in kind) return encode(kind.record, value)
  if (typeof kind === 'object') {
    const items = (value as unknown[]).map((item) => encodeKind(itemKind(kind.vector), item))
    return Buffer.concat([int(items.length), ...items])
  }
  if (kind === 'int') return int(value as number)
  if (kind === 'long' || kind === 'millis') return long(BigInt(value as bigint | number))
  if (kind === 'bool') return Buffer.from([Number(value)])
  if (value === null) return int(-1)
  const bytes = kind === 'buffer' ? (value as Buffer) : Buffer.from(value as string)
  return Buffer.concat([int(bytes.length), bytes])
}

/** Throws whatever Buffer throws where the bytes end. */
export function decode(record: string, cursor: Cursor): Record<string, unknown> {
  const fields = Object.entries(schema[record]!.fields)
  return Object.fromEntries(fields.map(([name, { kind }]) => [name, decodeKind(kind, cursor)]))
}

function decodeKind(kind: Kind, cursor: Cursor): unknown {
  if (typeof kind === 'object' && 'record' in kind) return decode(kind.record, cursor)
  if (typeof kind === 'object') {
    const length = Math.max(0, take(cursor, 4).readInt32BE())
    return Array.from({ length }, () => decodeKind(itemKind(kind.vector), cursor))
  }
  if (kind === 'int') return take(cursor, 4).readInt32BE()
  if (kind === 'long') return take(cursor, 8).readBigInt64BE()
  if (kind === 'millis') return Number(take(cursor, 8).readBigInt64BE())
  if (kind === 'bool') return take(cursor, 1).readInt8() !== 0
  const length = take(cursor, 4).readInt32BE()
  if (length === -1) return null
  const bytes = Buffer.from(take(cursor, length))
  return kind === 'buffer' ? bytes : bytes.toString()
}

function itemKind(item: string): Kind {
  return item === 'ustring' ? item : { record: item }
}

function take(cursor: Cursor, count: number): Buffer {
  cursor.at += count
  return cursor.bytes.subarray(cursor.at - count, cursor.at)
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function long(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}
