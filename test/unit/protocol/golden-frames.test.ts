import { describe, expect, test } from 'vitest'
import { goldenFrames } from '../../fixtures/golden-frames.ts'
import { bytesOfHex, decodeFrame, encodeFrame } from '../../support/frames.ts'

for (const { kind, meaning, hex, value } of goldenFrames) {
  describe(`golden frame: ${kind}: ${meaning}`, () => {
    test('decodes to its value', () => {
      expect(decodeFrame(kind, bytesOfHex(hex))).toStrictEqual(value)
    })

    test('is what its value encodes to', () => {
      expect(encodeFrame(kind, value).toString('hex')).toBe(bytesOfHex(hex).toString('hex'))
    })
  })
}
