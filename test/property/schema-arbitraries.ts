import fc from 'fast-check'
import { type Kind, type Scalar, schema } from '../../src/protocol/schema.ts'

/** Any UTF-16 units, in order or not. */
export const units = fc.string({
  unit: fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)),
})

/** Any text that UTF-8 can carry: code points of one to four bytes, but no lone surrogates. */
export const text = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.nat({ max: 0x10_ffff }).map(characterOf) }),
  fc.constantFrom('é', '€', '\u{1f600}', '\ufffd', '\0'),
)

export const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))

function characterOf(codePoint: number): string {
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff
  return isSurrogate ? '\ufffd' : String.fromCodePoint(codePoint)
}

/** 64 bits, more often near the ends and near the 32nd bit than chance would have it. */
const long = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(-(2n ** 63n), -1n, 0n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n - 1n),
)

const scalars: Record<Scalar, fc.Arbitrary<unknown>> = {
  int: fc.integer(),
  long,
  millis: fc.maxSafeInteger(),
  bool: fc.boolean(),
  ustring: text,
  nullableUstring: fc.option(text),
  buffer: fc.option(bytes),
}

/** Any value of a record, derived from the schema. */
export function valueOf(record: string): fc.Arbitrary<unknown> {
  const fields = Object.entries(schema[record]!.fields)
  return fc.record(Object.fromEntries(fields.map(([name, { kind }]) => [name, ofKind(kind)])))
}

function ofKind(kind: Kind): fc.Arbitrary<unknown> {
  if (typeof kind === 'string') return scalars[kind]
  if ('record' in kind) return valueOf(kind.record)
  return fc.array(kind.vector === 'ustring' ? text : valueOf(kind.vector), { maxLength: 4 })
}

/** Bytes that nearly are a record: an encoding with a few bytes changed, so that it reads far. */
export function damaged(encoding: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 })
  return fc.tuple(encoding, damage).map(([original, changes]) => {
    const changed = Buffer.from(original)
    for (const [at, byte] of changes) changed[at % changed.length] = byte
    return changed
  })
}

/** The same bytes inside a larger memory, at an offset that no alignment would choose. */
export function placed(content: Buffer, before: number): { bytes: Buffer; start: number } {
  const memory = new ArrayBuffer(content.length + 2 * before + 3)
  new Uint8Array(memory).fill(0xa5)
  const bytes = Buffer.from(memory, before, content.length + before + 3)
  content.copy(bytes, before)
  return { bytes, start: before }
}
