import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Reader, Writer } from '../../src/protocol/bytes.ts'
import { text } from './schema-arbitraries.ts'

test('any text reads the same whether it came as UTF-8 or as servers write it', () => {
  fc.assert(
    fc.property(fc.array(text), (parts) => {
      const whole = parts.join('')
      expect(read(cesu8Of(whole))).toBe(whole)
      expect(read(Buffer.from(whole))).toBe(whole)
    }),
    { numRuns: 500 },
  )
})

test('any bytes are a string, of no more characters than bytes', () => {
  const piece = fc.constantFrom(0xed, 0xa0, 0xaf, 0xb0, 0xbf, 0x80, 0xc0, 0xf0, 0x61)
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), (bytes) => {
      const string = read(Buffer.from(bytes))
      expect(string.length).toBeLessThanOrEqual(bytes.length)
      expect(string.replaceAll('\ufffd', '')).toBe(
        read(Buffer.from(string)).replaceAll('\ufffd', ''),
      )
    }),
    { numRuns: 1_000 },
  )
})

function read(bytes: Buffer): string {
  const writer = new Writer()
  writer.buffer(bytes)
  return new Reader().reset(writer.written, 0, writer.offset).ustring()
}

/** Each UTF-16 unit for itself, a surrogate like any other unit. */
function cesu8Of(string: string): Buffer {
  return Buffer.concat(
    string.split('').map((unit) => {
      const code = unit.charCodeAt(0)
      if (code < 0xd800 || code > 0xdfff) return Buffer.from(unit)
      return Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)])
    }),
  )
}
