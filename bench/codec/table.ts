/**
 * What the generated codecs replace: one loop over the schema's table for all records, on the same
 * reader and writer. It is what one would write by hand who wants it short and does not waste time.
 */
import { type Reader, type Writer } from 'zoowire/protocol'
import { type Kind, schema } from '../../src/protocol/schema.ts'

type Fields = readonly (readonly [name: string, kind: Kind])[]
type Values = Record<string, unknown>

const fieldsOf: ReadonlyMap<string, Fields> = new Map(
  Object.entries(schema).map(([record, { fields }]) => [
    record,
    Object.entries(fields).map(([name, { kind }]) => [name, kind] as const),
  ]),
)

export function write(writer: Writer, record: string, values: Values): void {
  for (const [name, kind] of fieldsOf.get(record)!) writeKind(writer, kind, values[name])
}

function writeKind(writer: Writer, kind: Kind, value: unknown): void {
  if (typeof kind === 'string') {
    // The value is what the schema says, or the comparison of the bytes fails.
    writer[kind](value as never)
  } else if ('record' in kind) {
    write(writer, kind.record, value as Values)
  } else {
    const items = value as readonly unknown[]
    writer.int(items.length)
    for (const item of items) writeKind(writer, itemKind(kind.vector), item)
  }
}

export function read(reader: Reader, record: string): Values {
  const values: Values = {}
  for (const [name, kind] of fieldsOf.get(record)!) values[name] = readKind(reader, kind)
  return values
}

function readKind(reader: Reader, kind: Kind): unknown {
  if (typeof kind === 'string') return reader[kind]()
  if ('record' in kind) return read(reader, kind.record)
  const items: unknown[] = []
  const count = reader.int()
  const item = itemKind(kind.vector)
  for (let i = 0; i < count; i++) items.push(readKind(reader, item))
  return items
}

function itemKind(item: string): Kind {
  return item === 'ustring' ? item : { record: item }
}
