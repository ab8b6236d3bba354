import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Borrowed, Writer } from '../../src/protocol/bytes.ts'
import { bytes } from './schema-arbitraries.ts'

const frame = fc.record({
  payloads: fc.array(fc.option(bytes), { maxLength: 4 }),
  keep: fc.boolean(),
})

test('frames with borrowed payloads put back in place are the frames that copy them', () => {
  fc.assert(
    fc.property(fc.array(frame), fc.nat({ max: 40 }), (frames, inlineBytesMax) => {
      const [copying, borrowing] = [new Writer(1), new Writer(1, inlineBytesMax)]
      for (const { payloads, keep } of frames) {
        for (const writer of [copying, borrowing]) {
          const start = writer.beginFrame()
          for (const payload of payloads) writer.buffer(payload)
          if (keep) writer.endFrame(start, Infinity)
          else writer.rewind(start)
        }
      }
      expect(copying.borrowed).toEqual([])
      expect(joined(borrowing).toString('hex')).toBe(copying.written.toString('hex'))
    }),
  )
})

function joined({ written, borrowed }: Writer): Buffer {
  const ends = [...borrowed.map(({ at }: Borrowed) => at), written.length]
  return Buffer.concat(
    ends.flatMap((end, index) => {
      const payload = borrowed[index]?.bytes ?? Buffer.alloc(0)
      return [written.subarray(ends[index - 1] ?? 0, end), payload]
    }),
  )
}
