import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { operations } from '../../../src/protocol/operations.ts'
import { Batch } from '../../../src/session/batch.ts'
import { type Call, Phase } from '../../../src/session/call.ts'
import { setData, TestCall } from '../../support/test-call.ts'

/** Below, at and above the size from which a payload is not copied. */
const size = fc.constantFrom(0, 1, 100, 16 * 1024, 16 * 1024 + 1, 40_000)

const plan = fc.array(fc.record({ size, isDropped: fc.boolean() }), { maxLength: 8 })

describe('Batch', () => {
  test('hands out the frames of the calls that still want it, and no other byte', () => {
    fc.assert(
      fc.property(plan, (items) => {
        const batch = new Batch(Infinity)
        const calls = fill(batch, items)
        const wanted = calls.filter((_, i) => !items[i]!.isDropped)
        const expected = wanted.map((call) => frameAlone(call, call.xid))

        const { parts, calls: taken } = batch.take()
        expect(taken).toEqual(wanted)
        expect(Buffer.concat(parts).equals(Buffer.concat(expected))).toBe(true)
        expect(batch.length).toBe(0)
      }),
      { numRuns: 50 },
    )
  })

  // Of all packets only this one ends in its payload.
  test('keeps a large payload at the very end of a frame with that frame', () => {
    const batch = new Batch(Infinity)
    const dropped = setData('/dropped')
    const token = Buffer.alloc(20_000, 'token')
    const auth = new TestCall(operations.auth, { type: 0, scheme: 'x', auth: token }, '', null)
    for (const [i, call] of [dropped, auth, setData('/behind')].entries()) batch.add(call, i)
    dropped.phase = Phase.settled
    batch.drop()

    const { parts } = batch.take()
    expect(parts.map(({ length }) => length)).toEqual([4 + 8 + 4 + 5 + 4, 20_000, 31])
    expect(parts[1]).toBe(token)
  })

  test('gives drained writes their frames, which another batch sends under new xids', () => {
    fc.assert(
      fc.property(plan, (items) => {
        const batch = new Batch(Infinity)
        const calls = fill(batch, items)
        const drained = batch.drain()
        expect(drained).toEqual(calls)
        expect(batch.length).toBe(0)
        expect(batch.take().parts).toEqual([])

        const wanted = drained.filter(({ phase }) => phase !== Phase.settled)
        const expected = wanted.map((call, i) => frameAlone(call, 100 + i))
        const next = new Batch(Infinity)
        for (const [i, call] of wanted.entries()) {
          Object.assign(call.request as object, { path: 'must not be looked at any more' })
          next.add(call, 100 + i)
        }
        const { parts } = next.take()
        expect(Buffer.concat(parts).equals(Buffer.concat(expected))).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  test('counts the bytes that it hands out', () => {
    fc.assert(
      fc.property(plan, (items) => {
        const batch = new Batch(Infinity)
        fill(
          batch,
          items.map(({ size }) => ({ size, isDropped: false })),
        )
        const { length } = batch
        expect(Buffer.concat(batch.take().parts)).toHaveLength(length)
      }),
      { numRuns: 50 },
    )
  })

  test('uses the memory of a batch again once that has left, and not before', () => {
    const batch = new Batch(Infinity)
    const memories = Array.from({ length: 5 }, (_, i) => {
      batch.add(setData(`/${i}`), i)
      const { parts } = batch.take()
      if (i !== 1) batch.release() // the second one stays in the socket for ever
      return parts[0]!.buffer
    })
    const [first, second, third, fourth, fifth] = memories
    expect(second).not.toBe(first)
    expect(third).toBe(first)
    expect([fourth, fifth]).not.toContain(second)
  })

  test('does not keep memory that one large batch made it grow to', () => {
    const batch = new Batch(Infinity)
    const sizes = [0, 0, 0].map(() => {
      for (let i = 0; i < 40; i++) batch.add(setData('/a', Buffer.alloc(16 * 1024)), 1)
      const { parts } = batch.take()
      batch.release()
      batch.add(setData('/small'), 1)
      const small = batch.take().parts[0]!.buffer.byteLength
      batch.release()
      return [parts[0]!.buffer.byteLength > 512 * 1024, small < 512 * 1024]
    })
    expect(sizes.flat()).toEqual(Array(6).fill(true))
  })
})

function fill(batch: Batch, items: readonly { size: number; isDropped: boolean }[]): TestCall[] {
  const calls = items.map(({ size }, i) => setData(`/${i}`, Buffer.alloc(size, i + 1)))
  for (const [i, call] of calls.entries()) batch.add(call, i + 1)
  for (const [i, call] of calls.entries()) {
    if (!items[i]!.isDropped) continue
    call.phase = Phase.settled
    batch.drop()
  }
  return calls
}

function frameAlone({ request }: Call, xid: number): Buffer {
  const { path, data } = request as { path: string; data: Uint8Array }
  const batch = new Batch(Infinity)
  batch.add(setData(path, data), xid)
  return Buffer.concat(batch.take().parts)
}
