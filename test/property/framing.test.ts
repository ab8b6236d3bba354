import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { ProtocolError } from '../../src/protocol/errors.ts'
import { FrameSplitter } from '../../src/protocol/framing.ts'
import { placed } from './schema-arbitraries.ts'

/** What a splitter hands out: the announced length, and the bytes that it kept. */
interface Frame {
  readonly length: number
  readonly hex: string
}

const frameBytesMax = 24
const contents = fc.array(
  fc.uint8Array({ maxLength: 3 * frameBytesMax }).map((array) => Buffer.from(array)),
  { maxLength: 8 },
)

/** Empty, short, of the greatest length allowed, one over it, and long. */
const conversation = [0, 1, 24, 25, 90, 0, 16, 17].map((length, index) => {
  return Buffer.alloc(length, 0x10 + index)
})

describe('FrameSplitter', () => {
  test('finds the same frames wherever the stream is cut', () => {
    const stream = streamOf(conversation)
    const expected = framesOf(conversation)
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const chunks = [
          stream.subarray(0, first),
          stream.subarray(first, second),
          stream.subarray(second),
        ]
        if (!isEqual(split(chunks), expected)) expect.fail(`cut at ${first} and ${second}`)
      }
    }
  })

  test('finds the same frames one byte at a time', () => {
    const chunks = Array.from(streamOf(conversation), (byte) => Buffer.from([byte]))
    expect(split(chunks)).toEqual(framesOf(conversation))
  })

  test('finds the frames of any conversation, cut anyhow, at any offset of any memory', () => {
    const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 })
    fc.assert(
      fc.property(contents, cuts, fc.nat({ max: 9 }), (all, at, offset) => {
        const chunks = cutAt(streamOf(all), at).map((chunk) => {
          const { bytes, start } = placed(chunk, offset)
          return bytes.subarray(start, start + chunk.length)
        })
        expect(split(chunks)).toEqual(framesOf(all))
      }),
    )
  })

  test('keeps a copy of an incomplete frame, since the next read overwrites the chunk', () => {
    const memory = Buffer.alloc(64)
    const stream = streamOf(conversation)
    const splitter = new FrameSplitter(frameBytesMax)
    const found: Frame[] = []
    for (let at = 0; at < stream.length; at += 5) {
      const length = stream.copy(memory, 7, at, at + 5)
      splitter.push(memory.subarray(7, 7 + length))
      found.push(...takeAll(splitter))
      memory.fill(0xee)
    }
    expect(found).toEqual(framesOf(conversation))
  })

  test('reads complete frames in place', () => {
    const stream = streamOf([Buffer.from('abc'), Buffer.from('de')])
    const splitter = new FrameSplitter(frameBytesMax)
    splitter.push(stream)
    splitter.next()
    splitter.next()
    expect(splitter).toMatchObject({ bytes: stream, start: 11, end: 13 })
    expect(splitter.bytes).toBe(stream)
  })

  test('does not make room for a frame over the limit, whatever it announces', () => {
    const allocate = vi.spyOn(Buffer, 'allocUnsafeSlow')
    const splitter = new FrameSplitter(frameBytesMax)
    const prefix = Buffer.from('7fffffff', 'hex')
    for (const part of [prefix.subarray(0, 3), prefix.subarray(3), Buffer.alloc(16, 1)]) {
      splitter.push(part)
      splitter.next()
    }
    const sizes = allocate.mock.calls.map(([size]) => size)
    allocate.mockRestore()
    expect(frameOf(splitter)).toEqual({ length: 0x7fff_ffff, hex: '01'.repeat(16) })
    expect(sizes).toEqual([4, 20])
  })

  test('skips 2 GiB to the byte', () => {
    const splitter = new FrameSplitter(frameBytesMax)
    splitter.push(Buffer.from('7fffffff', 'hex'))
    expect(splitter.next()).toBe(false)
    const mebibyte = Buffer.alloc(2 ** 20)
    const found: number[] = []
    for (let left = 0x7fff_ffff; left > 0; left -= mebibyte.length) {
      splitter.push(left < mebibyte.length ? mebibyte.subarray(0, left) : mebibyte)
      while (splitter.next()) found.push(splitter.length)
    }
    splitter.push(streamOf([Buffer.from('next')]))
    while (splitter.next()) found.push(splitter.length)
    expect(found).toEqual([0x7fff_ffff, 4])
  })

  test('refuses a negative length at every cut, and again when asked again', () => {
    const stream = Buffer.concat([streamOf([Buffer.from('ok')]), Buffer.from('ffffffff', 'hex')])
    for (let cut = 0; cut <= stream.length; cut++) {
      const splitter = new FrameSplitter(frameBytesMax)
      const all = () => {
        for (const chunk of [stream.subarray(0, cut), stream.subarray(cut)]) {
          splitter.push(chunk)
          takeAll(splitter)
        }
      }
      expect(all).toThrow(ProtocolError)
      expect(() => splitter.next()).toThrow('a frame announces -1 bytes')
    }
  })

  test('holds a new limit against the frames that come, not the one that has begun', () => {
    for (const [limitBefore, limitAfter] of [
      [10, 50],
      [50, 10],
    ] as const) {
      const stream = streamOf([Buffer.alloc(40, 1), Buffer.alloc(40, 2)])
      for (let cut = 4; cut < 44; cut++) {
        const splitter = new FrameSplitter(limitBefore)
        splitter.push(stream.subarray(0, cut))
        const found = takeAll(splitter)
        splitter.frameBytesMax = limitAfter
        splitter.push(stream.subarray(cut))
        found.push(...takeAll(splitter))
        expect(found, `cut at ${cut}`).toEqual([
          { length: 40, hex: '01'.repeat(limitBefore < 40 ? 16 : 40) },
          { length: 40, hex: '02'.repeat(limitAfter < 40 ? 16 : 40) },
        ])
      }
    }
  })

  test.for([0, 20])('finds 100,000 frames of %d bytes in one chunk', (length) => {
    const splitter = new FrameSplitter(frameBytesMax)
    splitter.push(streamOf(Array<Buffer>(100_000).fill(Buffer.alloc(length))))
    let count = 0
    while (splitter.next()) count += 1
    expect(count).toBe(100_000)
  })
})

function streamOf(contentOfFrames: readonly Buffer[]): Buffer {
  return Buffer.concat(
    contentOfFrames.flatMap((content) => {
      const prefix = Buffer.alloc(4)
      prefix.writeInt32BE(content.length)
      return [prefix, content]
    }),
  )
}

function framesOf(contentOfFrames: readonly Buffer[]): Frame[] {
  return contentOfFrames.map((content) => {
    const kept = content.length <= frameBytesMax ? content : content.subarray(0, 16)
    return { length: content.length, hex: kept.toString('hex') }
  })
}

function split(chunks: readonly Buffer[]): Frame[] {
  const splitter = new FrameSplitter(frameBytesMax)
  return chunks.flatMap((chunk) => {
    splitter.push(chunk)
    return takeAll(splitter)
  })
}

function takeAll(splitter: FrameSplitter): Frame[] {
  const frames: Frame[] = []
  while (splitter.next()) frames.push(frameOf(splitter))
  return frames
}

function frameOf({ bytes, start, end, length }: FrameSplitter): Frame {
  return { length, hex: bytes.toString('hex', start, end) }
}

function isEqual(found: readonly Frame[], expected: readonly Frame[]): boolean {
  return JSON.stringify(found) === JSON.stringify(expected)
}

function cutAt(stream: Buffer, places: readonly number[]): Buffer[] {
  const ends = places.map((place) => Math.min(place, stream.length)).sort((a, b) => a - b)
  return [...ends, stream.length].map((end, index) => stream.subarray(ends[index - 1] ?? 0, end))
}
