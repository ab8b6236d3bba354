import { describe, expect, test } from 'vitest'
import { type Codec } from '../../../src/protocol/bytes.ts'
import { operations } from '../../../src/protocol/operations.ts'
import { Harness } from '../../support/session-harness.ts'
import { exists, getData, removeWatches, setData, TestCall } from '../../support/test-call.ts'

const queuedBytesMax = 2_000

describe('requests in flight', () => {
  test('more than the limit wait, and follow as replies come in', () => {
    const harness = Harness.connected({ inFlightMax: 2 })
    const calls = ['/1', '/2', '/3', '/4'].map((path) => getData(path))
    harness.submit(...calls)
    expect(harness.turn().takeSent()).toEqual(['getData /1', 'getData /2'])
    expect(harness.session.pipeline.inFlight).toBe(2)
    expect(harness.session.pipeline.held.counts.calls).toBe(2)

    harness.answer()
    expect(harness.takeSent()).toEqual(['getData /3'])
    harness.answerAll()
    expect(calls.map(({ fate }) => fate)).toEqual(Array(4).fill('succeeded'))
  })

  test('a call does not overtake those that wait, though there is room for it', () => {
    const harness = Harness.connected({ inFlightMax: 1 })
    harness.submit(getData('/1'), getData('/2'))
    harness.turn().answer()
    harness.submit(getData('/3'))
    harness.answer()
    expect(harness.takeSent()).toEqual(['getData /1', 'getData /2', 'getData /3'])
  })

  test('a call does not overtake those that wait for the socket either', () => {
    const harness = Harness.connected()
    harness.isStalled = true
    for (let i = 0; i < 5; i++) harness.submit(setData(`/${i}`, Buffer.alloc(64 * 1024)))
    harness.turn().submit(setData('/5'))
    expect(harness.takeSent()).toHaveLength(4)
    harness.flush()
    expect(harness.takeSent()).toEqual(['setData /4', 'setData /5'])
  })

  test('an abandoned call counts until its reply has come', () => {
    const harness = Harness.connected({ inFlightMax: 1 })
    const [first] = harness.submit(getData('/1'), getData('/2'))
    harness.turn().session.abandon(first, 'ABORTED')
    expect(harness.turn().takeSent()).toEqual(['getData /1'])
    harness.answer()
    expect(harness.takeSent()).toEqual(['getData /2'])
  })
})

describe('a batch', () => {
  test('is closed at 256 KiB, so that a ping never waits behind more', () => {
    const harness = Harness.connected()
    harness.isStalled = true
    const data = Buffer.alloc(64 * 1024)
    for (let i = 0; i < 10; i++) harness.submit(setData(`/${i}`, data))
    expect(harness.turn().takeSent()).toHaveLength(4)

    harness.session.handleDeadline((harness.nowMs += 4_000))
    harness.flush()
    expect(harness.takeSent().slice(0, 2)).toEqual(['ping', 'setData /4'])
  })

  test('is followed by the next one as soon as the socket has room', () => {
    const harness = Harness.connected()
    for (let i = 0; i < 10; i++) harness.submit(setData(`/${i}`, Buffer.alloc(100_000)))
    expect(harness.turn().takeSent()).toHaveLength(10)
  })

  test('collects what comes in while the socket has none', () => {
    const harness = Harness.connected()
    harness.isStalled = true
    harness.submit(setData('/1'))
    harness.turn().submit(setData('/2'), setData('/3'))
    harness.turn()
    expect(harness.takeSent()).toEqual(['setData /1'])
    harness.flush()
    expect(harness.takeSent()).toEqual(['setData /2', 'setData /3'])
  })

  test('lies in memory that what comes next does not touch', () => {
    const harness = Harness.connected()
    harness.submit(setData('/1', 'first'))
    const parts = harness.session.takeOutput(harness.nowMs)
    const before = Buffer.concat(parts)
    harness.submit(setData('/2', 'second'))
    expect(Buffer.concat(parts)).toEqual(before)

    harness.session.handleWritten()
    expect(harness.turn().takeSent()).toEqual(['setData /2'])
  })
})

describe('waiting calls', () => {
  test('R79: more bytes than the limit are refused, and room is found again', () => {
    const harness = new Harness({ queuedBytesMax })
    const data = Buffer.alloc(1_000)
    const [first, second, small] = harness.submit(
      setData('/1', data),
      setData('/2', data),
      getData('/3'),
    )
    expect([first.fate, second.fate, small.fate]).toEqual([
      'pending',
      'QUEUE_FULL not-applied',
      'pending',
    ])
    const { calls, bytes } = harness.session.pipeline.held.counts
    expect(calls).toBe(2)
    expect(bytes).toBeGreaterThan(1_000)

    harness.connect()
    expect(harness.session.pipeline.held.counts).toEqual({ calls: 0, bytes: 0 })
    harness.cut()
    expect(harness.submit(setData('/4', data))[0].fate).toBe('pending')
  })

  test('payloads too large to be copied count as well', () => {
    const harness = new Harness({ queuedBytesMax: 50_000 })
    const [first, second] = harness.submit(
      setData('/1', Buffer.alloc(30_000)),
      setData('/2', Buffer.alloc(30_000)),
    )
    expect([first.fate, second.fate]).toEqual(['pending', 'QUEUE_FULL not-applied'])
  })

  test('the limit does not touch calls that can be sent at once', () => {
    const harness = Harness.connected({ queuedBytesMax: 1 })
    const [call] = harness.submit(setData('/1', Buffer.alloc(1_000)))
    harness.turn().answer()
    expect(call.fate).toBe('succeeded')
  })
})

describe('a request', () => {
  const stages = ['batched', 'held']

  test.each(stages)('that no server would accept is refused while %s', (stage) => {
    const harness = Harness.connected({ frameOutBytesMax: 1_000 })
    if (stage === 'held') harness.cut()
    const [before, tooLarge, after] = harness.submit(
      setData('/1'),
      setData('/2', Buffer.alloc(1_000)),
      setData('/3'),
    )
    expect(tooLarge.fate).toBe('REQUEST_TOO_LARGE not-applied')
    expect(tooLarge.failure?.detail).toBe('the request has 1022 bytes; servers accept 1000')
    if (stage === 'held') harness.connect()
    harness.turn().answerAll()
    expect([before.fate, after.fate]).toEqual(['succeeded', 'succeeded'])
  })

  test('of exactly the limit is accepted, and a larger one is not, inline or beside', () => {
    const overhead = 22
    for (const limit of [1_000, 100_000]) {
      const harness = Harness.connected({ frameOutBytesMax: limit })
      const [fits, tooLarge] = harness.submit(
        setData('/1', Buffer.alloc(limit - overhead)),
        setData('/2', Buffer.alloc(limit - overhead + 1)),
      )
      harness.turn().answer()
      expect([fits.fate, tooLarge.fate]).toEqual(['succeeded', 'REQUEST_TOO_LARGE not-applied'])
    }
  })

  test.each(stages)('that cannot be encoded fails alone while %s', (stage) => {
    const harness = Harness.connected()
    if (stage === 'held') harness.cut()
    // Half of the frame is there when it fails.
    const request = { path: '/2', data: Buffer.alloc(50_000), version: 4n }
    const bad = new TestCall(operations.setData, request, '/2', null)
    const [before, , after] = harness.submit(setData('/1'), bad, setData('/3'))
    expect(bad.fate).toBe('BAD_ARGUMENTS not-applied')
    expect(bad.failure?.cause).toBeInstanceOf(TypeError)

    if (stage === 'held') harness.connect()
    harness.turn().answerAll()
    expect([before.fate, after.fate]).toEqual(['succeeded', 'succeeded'])
  })

  test('that fails with something other than an error is refused, too', () => {
    const harness = Harness.connected()
    const thrower: Codec<unknown> = {
      ...operations.setData.request,
      write: () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw 'a string'
      },
    }
    const operation = { ...operations.setData, request: thrower }
    const [call] = harness.submit(new TestCall(operation, {}, '/a', null))
    expect(call.failure).toMatchObject({
      code: 'BAD_ARGUMENTS',
      detail: 'the request cannot be encoded',
      cause: 'a string',
    })
  })

  // Its turn comes when nobody is looking: the failure must be the call's alone all the same.
  test('of a read that cannot be encoded fails when its turn comes', () => {
    const harness = new Harness()
    const bad = exists('/bad')
    Object.assign(bad.request as object, { path: undefined })
    const [, after] = harness.submit(bad, getData('/after'), removeWatches('/x'))
    expect(bad.fate).toBe('pending')
    harness.connect()
    expect(bad.fate).toBe('BAD_ARGUMENTS not-applied')
    expect(harness.takeSent()).toEqual(['connect', 'getData /after', 'removeWatches /x'])
    harness.answer()
    expect(after.fate).toBe('succeeded')
  })
})
