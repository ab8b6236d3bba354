/**
 * Prints `src/protocol/records.ts` from `src/protocol/schema.ts`: for each record its type and a codec
 * of straight code, in which a run of fixed-width fields costs one bounds check.
 *
 * Run by `npm run generate`; a test fails if the checked-in file is not what this prints.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  schema,
  type Field,
  type Kind,
  type RecordSchema,
  type Scalar,
} from '../src/protocol/schema.ts'

interface FixedWidth {
  readonly bytes: number
  readonly get: (view: string, at: string) => string
  readonly set: (view: string, at: string, value: string) => string
}

const fixedWidth: Partial<Record<Scalar, FixedWidth>> = {
  int: {
    bytes: 4,
    get: (view, at) => `${view}.getInt32(${at})`,
    set: (view, at, value) => `${view}.setInt32(${at}, ${value})`,
  },
  long: {
    bytes: 8,
    get: (view, at) => `${view}.getBigInt64(${at})`,
    set: (view, at, value) => `${view}.setBigInt64(${at}, ${value})`,
  },
  millis: {
    bytes: 8,
    get: (view, at) => `millisAt(${view}, ${at})`,
    set: (view, at, value) => `setMillisAt(${view}, ${at}, ${value})`,
  },
  bool: {
    bytes: 1,
    get: (view, at) => `${view}.getUint8(${at}) !== 0`,
    set: (view, at, value) => `${view}.setUint8(${at}, ${value} ? 1 : 0)`,
  },
}

const scalarTypes: Record<Scalar, string> = {
  int: 'number',
  long: 'bigint',
  millis: 'number',
  bool: 'boolean',
  ustring: 'string',
  nullableUstring: 'string | null',
  buffer: 'Uint8Array | null',
}

/** A run of fixed-width fields that stand together, or one field of any other kind. */
type Piece = { readonly run: readonly NamedField[] } | { readonly single: NamedField }
type NamedField = readonly [name: string, field: Field]

export function generateRecords(): string {
  return [
    '// GENERATED from schema.ts by scripts/generate-records.ts. Do not edit.',
    "import { type Codec, millisAt, type Reader, setMillisAt, type Writer } from './bytes.ts'",
    ...Object.entries(schema).map(([name, record]) => printRecord(name, record)),
  ].join('\n\n')
}

function printRecord(name: string, record: RecordSchema): string {
  const fields = Object.entries(record.fields)
  return record.isClass ? printClass(name, record, fields) : printInterface(name, record, fields)
}

function printInterface(name: string, { doc }: RecordSchema, fields: readonly NamedField[]) {
  const values = fields.map(([field]) => field)
  return `${printDoc(doc)}export interface ${name} {
${printFields(name, fields)}
}
export const ${name}: Codec<${name}> = {
${printCodec(name, fields, `{ ${values.join(', ')} }`)}
}`
}

/** A class keeps one hidden class for the hottest record and gives it `toJSON`. */
function printClass(name: string, { doc }: RecordSchema, fields: readonly NamedField[]) {
  const jsonOf = ([field, { kind }]: NamedField) => {
    return kind === 'long' ? `${field}: this.${field}.toString()` : `${field}: this.${field}`
  }
  return `${printDoc(doc)}export class ${name} {
${printFields(name, fields)}

constructor(${fields.map(([field, { kind }]) => `${field}: ${typeOf(kind, name)}`).join(', ')}) {
${fields.map(([field]) => `this.${field} = ${field}`).join('\n')}
}

/** Ids and zxids as decimal strings, which JSON can carry exactly. */
toJSON(): Record<string, string | number> {
return { ${fields.map(jsonOf).join(', ')} }
}

static readonly bytesMin = ${bytesMinOf(fields)}

${printMethods(fields, `new ${name}(${fields.map(([field]) => field).join(', ')})`, 'static ', name, '\n\n')}
}
${name} satisfies Codec<${name}>`
}

function printFields(name: string, fields: readonly NamedField[]): string {
  return fields
    .map(([field, { kind, doc }]) => `${printDoc(doc)}readonly ${field}: ${typeOf(kind, name)}`)
    .join('\n')
}

function printCodec(name: string, fields: readonly NamedField[], result: string): string {
  return `name: '${name}',
bytesMin: ${bytesMinOf(fields)},
${printMethods(fields, result, '', name, ',\n')}`
}

function printMethods(
  fields: readonly NamedField[],
  result: string,
  prefix: string,
  name: string,
  separator: string,
) {
  const pieces = piecesOf(fields)
  const types = (subject: string, type: string) => (prefix === '' ? subject : `${subject}: ${type}`)
  return [
    `${prefix}write(${types('writer', 'Writer')}, ${types('value', name)})${prefix && ': void'} {
${pieces.map(printWrite).join('\n')}
}`,
    `${prefix}read(${types('reader', 'Reader')})${prefix && `: ${name}`} {
${pieces.map(printRead).join('\n')}
return ${result}
}`,
  ].join(separator)
}

function printWrite(piece: Piece): string {
  if ('single' in piece) return printWriteSingle(piece.single)
  const { bytes, places } = placesOf(piece.run)
  const start = startName(piece.run)
  return [
    `const ${start} = writer.reserve(${bytes})`,
    ...places.map(({ name, width, offset }) => {
      return width.set('writer.view', plus(start, offset), `value.${name}`)
    }),
  ].join('\n')
}

function printRead(piece: Piece): string {
  if ('single' in piece) return printReadSingle(piece.single)
  const { bytes, places } = placesOf(piece.run)
  const start = startName(piece.run)
  return [
    `const ${start} = reader.take(${bytes})`,
    ...places.map(({ name, width, offset }) => {
      return `const ${name} = ${width.get('reader.view', plus(start, offset))}`
    }),
  ].join('\n')
}

function printWriteSingle([name, { kind }]: NamedField): string {
  if (typeof kind === 'string') return `writer.${kind}(value.${name})`
  if ('record' in kind) return `${kind.record}.write(writer, value.${name})`
  if (kind.vector === 'ustring') return `writer.ustringVector(value.${name})`
  return `writer.vector(value.${name}, ${kind.vector})`
}

function printReadSingle([name, { kind }]: NamedField): string {
  if (typeof kind === 'string') return `const ${name} = reader.${kind}()`
  if ('record' in kind) return `const ${name} = ${kind.record}.read(reader)`
  if (kind.vector === 'ustring') return `const ${name} = reader.ustringVector()`
  return `const ${name} = reader.vector(${kind.vector})`
}

/** A lone fixed-width field is a plain `int()`; two or more together are a run. */
function piecesOf(fields: readonly NamedField[]): Piece[] {
  const pieces: Piece[] = []
  let run: NamedField[] = []
  const endRun = () => {
    if (run.length > 1) pieces.push({ run })
    else if (run[0] !== undefined) pieces.push({ single: run[0] })
    run = []
  }
  for (const field of fields) {
    if (widthOf(field[1].kind) !== undefined) {
      run.push(field)
    } else {
      endRun()
      pieces.push({ single: field })
    }
  }
  endRun()
  return pieces
}

function placesOf(run: readonly NamedField[]) {
  let bytes = 0
  const places = run.map(([name, { kind }]) => {
    const width = widthOf(kind)!
    const offset = bytes
    bytes += width.bytes
    return { name, width, offset }
  })
  return { bytes, places }
}

function widthOf(kind: Kind): FixedWidth | undefined {
  return typeof kind === 'string' ? fixedWidth[kind] : undefined
}

/** Runs are told apart by their first field, since a record may have several. */
function startName(run: readonly NamedField[]): string {
  return `${run[0]![0]}At`
}

function plus(start: string, offset: number): string {
  return offset === 0 ? start : `${start} + ${offset}`
}

function bytesMinOf(fields: readonly NamedField[]): number {
  const least = ({ kind }: Field): number => {
    if (typeof kind === 'object' && 'record' in kind) {
      return bytesMinOf(Object.entries(schema[kind.record]!.fields))
    }
    return widthOf(kind)?.bytes ?? 4
  }
  return fields.reduce((sum, [, field]) => sum + least(field), 0)
}

/** What callers hand in may be any bytes; what they are handed is a Buffer. */
function typeOf(kind: Kind, recordName: string): string {
  if (kind === 'buffer' && recordName.endsWith('Response')) return 'Buffer | null'
  if (typeof kind === 'string') return scalarTypes[kind]
  if ('record' in kind) return kind.record
  return `readonly ${kind.vector === 'ustring' ? 'string' : kind.vector}[]`
}

function printDoc(doc: string | undefined): string {
  return doc === undefined || doc === '' ? '' : `/** ${doc} */\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const target = fileURLToPath(new URL('../src/protocol/records.ts', import.meta.url))
  writeFileSync(target, `${generateRecords()}\n`)
}
