import { describe, expect, test } from 'vitest'
import { xidMax } from '../../../src/protocol/constants.ts'
import { ProtocolError } from '../../../src/protocol/errors.ts'
import { operations } from '../../../src/protocol/operations.ts'
import { xidAfter } from '../../../src/session/pipeline.ts'
import { framed, Harness, reply } from '../../support/session-harness.ts'
import { exists, getChildren, getData, setData, stat, TestCall } from '../../support/test-call.ts'

describe('xids', () => {
  test('the first is 1, and each call has the next', () => {
    const harness = Harness.connected()
    harness.submit(getData('/a'), setData('/b'))
    harness.turn().submit(getData('/c'))
    expect(
      harness
        .turn()
        .takeFrames()
        .map(({ xid }) => xid),
    ).toEqual([1, 2, 3])
  })

  test('A21: they run up to 2^31-1 and then from 1 again', () => {
    expect([0, 1, xidMax - 1, xidMax].map(xidAfter)).toEqual([1, 2, 0x7fff_ffff, 1])
  })

  test.each([
    ['of a later call', 2, 'reply 2 came where 1 was due'],
    ['of no call', 77, 'reply 77 came where 1 was due'],
    ['with no meaning', 0, 'reply 0 answers no request'],
    ['of the C client’s setWatches', -8, 'reply -8 answers no request'],
  ])('a reply %s costs the connection', (_, xid, detail) => {
    const harness = Harness.connected()
    const [first, second] = harness.submit(getData('/a'), getData('/b'))
    harness.turn()

    const error = harness.reply(xid)
    expect(error).toBeInstanceOf(ProtocolError)
    expect(error).toMatchObject({ detail })
    expect(harness.changes.at(-1)).toMatchObject({ state: 'suspended', cause: error })
    expect([first.fate, second.fate]).toEqual(['pending', 'pending'])
  })

  test('A16: a second reply to the same call costs the connection, not the call after it', () => {
    const harness = Harness.connected()
    const [first, second] = harness.submit(getData('/a'), getData('/b'))
    harness.turn().answer()
    expect(harness.reply(1)).toMatchObject({ detail: 'reply 1 came where 2 was due' })

    expect([first.fate, second.fate]).toEqual(['succeeded', 'pending'])
    harness.connect().answer()
    expect(second.fate).toBe('succeeded')
  })

  test('A16: a reply while nothing is due costs the connection', () => {
    const harness = Harness.connected()
    expect(harness.reply(1)).toMatchObject({ detail: 'reply 1 answers no request' })
    expect(harness.states).toEqual(['connected', 'suspended'])
  })

  test('a reply to a call that was not sent yet costs the connection', () => {
    const harness = Harness.connected()
    const [call] = harness.submit(getData('/a'))
    expect(harness.reply(1)).toBeInstanceOf(ProtocolError)
    expect(call.fate).toBe('pending')
  })
})

describe('replies', () => {
  test('each reaches its call, in the order of the calls', () => {
    const harness = Harness.connected()
    const settled: string[] = []
    const calls = harness.submit(getData('/a'), getChildren('/b'), setData('/c'))
    for (const call of calls) call.onSettled = ({ path }) => settled.push(path)

    harness.turn()
    harness.answer({ body: { data: Buffer.from('one'), stat } })
    harness.answer({ body: { children: ['x', 'y'] } })
    harness.answer()
    expect(settled).toEqual(['/a', '/b', '/c'])
    expect(calls.map(({ response }) => response)).toEqual([
      { data: Buffer.from('one'), stat },
      { children: ['x', 'y'] },
      { stat },
    ])
  })

  test('many may come in one read, and one in many', () => {
    const harness = Harness.connected()
    const calls = harness.submit(getData('/a'), getData('/b'), getData('/c'))
    harness.turn()
    const stream = Buffer.concat([1, 2, 3].map((xid) => dataReply(xid, Buffer.alloc(100, xid))))

    harness.receive(stream.subarray(0, 250))
    expect(calls.map(({ fate }) => fate)).toEqual(['succeeded', 'pending', 'pending'])
    for (const byte of stream.subarray(250)) harness.receive(Buffer.from([byte]))
    expect(calls.map(({ response }) => response)).toEqual(
      [1, 2, 3].map((xid) => ({ data: Buffer.alloc(100, xid), stat })),
    )
  })

  test('a frame too short for a header costs the connection', () => {
    const harness = Harness.connected()
    expect(harness.receive(framed((writer) => writer.reserve(15)))).toBeInstanceOf(ProtocolError)
  })

  test('an error fails the call with what it means and who said it', () => {
    const harness = Harness.connected()
    const [call] = harness.submit(setData('/a'))
    harness.turn().answer({ err: -103 })
    expect(call.failure).toEqual({
      code: 'BAD_VERSION',
      errno: -103,
      outcome: 'not-applied',
      server: 'zk1:2181',
      sessionId: harness.session.id,
    })
  })

  test('an error that no table knows keeps its number', () => {
    const harness = Harness.connected()
    const [call] = harness.submit(setData('/a'))
    harness.turn().answer({ err: -4711 })
    expect(call.failure).toMatchObject({ code: 'UNKNOWN_ERROR', errno: -4711 })
    expect(harness.states).toEqual(['connected'])
  })

  test('one that cannot be decoded fails its call as applied, and costs the connection', () => {
    const harness = Harness.connected()
    const [first, second] = harness.submit(setData('/a'), setData('/b'))
    harness.turn()
    const error = harness.receive(reply({ xid: 1, zxid: 5n, err: 0 })) // no Stat

    expect(first.failure).toMatchObject({
      code: 'PROTOCOL_ERROR',
      outcome: 'applied',
      cause: error,
    })
    expect(second.fate).toBe('CONNECTION_LOSS unknown')
    expect(harness.changes.at(-1)).toMatchObject({ state: 'suspended', cause: error })
  })
})

describe('A8: oversize replies', () => {
  const options = { frameInBytesMax: 1_000 }

  test('one fails its call alone, and what follows is read', () => {
    const harness = Harness.connected(options)
    const [first, second] = harness.submit(getData('/a'), getData('/b'))
    harness.turn()
    const stream = Buffer.concat([dataReply(1, Buffer.alloc(200_000)), dataReply(2, null)])

    expect(harness.receive(stream)).toBeNull()
    expect(first.failure).toMatchObject({ code: 'REPLY_TOO_LARGE', outcome: 'applied' })
    expect(first.failure?.detail).toMatch('200088 bytes')
    expect(second.fate).toBe('succeeded')
    expect(harness.states).toEqual(['connected'])
  })

  test('the limit itself is not too large', () => {
    const harness = Harness.connected(options)
    const [largest, tooLarge] = harness.submit(getData('/a'), getData('/b'))
    harness.turn()
    harness.receive(dataReply(1, Buffer.alloc(1_000 - 88)))
    harness.receive(dataReply(2, Buffer.alloc(1_001 - 88)))
    expect([largest.fate, tooLarge.fate]).toEqual(['succeeded', 'REPLY_TOO_LARGE applied'])
  })

  test('an oversize error says that nothing was applied', () => {
    const harness = Harness.connected(options)
    const [call] = harness.submit(getData('/a'))
    harness.turn().receive(dataReply(1, Buffer.alloc(2_000), -101))
    expect(call.fate).toBe('REPLY_TOO_LARGE not-applied')
  })

  test('one for an abandoned call only keeps the order', () => {
    const harness = Harness.connected(options)
    const [first, second] = harness.submit(getData('/a'), getData('/b'))
    harness.turn().session.abandon(first, 'ABORTED')
    harness.receive(dataReply(1, Buffer.alloc(2_000)))
    harness.receive(dataReply(2, null))
    expect([first.fate, second.fate]).toEqual(['ABORTED unknown', 'succeeded'])
  })

  test.each([
    ['to a call that is not due', 2],
    ['of a kind that is never large', -1],
  ])('one %s costs the connection', (_, xid) => {
    const harness = Harness.connected(options)
    const [call] = harness.submit(getData('/a'))
    harness.turn()
    expect(harness.receive(dataReply(xid, Buffer.alloc(2_000)))).toBeInstanceOf(ProtocolError)
    expect(call.fate).toBe('pending')
  })
})

describe('the last zxid', () => {
  test('A23: is the highest of all replies, those of errors included', () => {
    const harness = Harness.connected()
    const zxids: bigint[] = []
    for (const zxid of [
      3n,
      0x1_0000_0001n,
      0x0_ffff_ffffn,
      0x1_8000_0000n,
      0x1_7fff_ffffn,
      0n,
      -1n,
    ]) {
      harness.submit(exists('/a'))
      harness.turn().answer({ zxid, err: zxid === 3n ? -101 : 0 })
      zxids.push(harness.session.pipeline.lastZxid)
    }
    expect(zxids).toEqual([
      3n,
      0x1_0000_0001n,
      0x1_0000_0001n,
      0x1_8000_0000n,
      0x1_8000_0000n,
      0x1_8000_0000n,
      0x1_8000_0000n,
    ])
  })

  // They prove nothing about what this session has read.
  test('is not moved by pings, auth replies and notifications', () => {
    const harness = Harness.connected().advance(4_000)
    harness.reply(-2, { zxid: 100n })
    harness.reply(-4, { zxid: 100n })
    harness.notify(1, '/a', 100n)
    expect(harness.session.pipeline.lastZxid).toBe(0n)
    expect(harness.states).toEqual(['connected'])
  })

  test('is moved by the reply to an abandoned call, too', () => {
    const harness = Harness.connected()
    const [call] = harness.submit(setData('/a'))
    harness.turn().session.abandon(call, 'TIMEOUT')
    harness.answer({ zxid: 9n })
    expect(harness.session.pipeline.lastZxid).toBe(9n)
  })
})

test('an operation without fields in its answer succeeds with undefined', () => {
  const harness = Harness.connected()
  const [call] = harness.submit(
    new TestCall(operations.delete, { path: '/a', version: 1 }, '/a', null),
  )
  harness.turn().answer()
  expect([call.fate, call.response]).toEqual(['succeeded', undefined])
})

function dataReply(xid: number, data: Buffer | null, err = 0): Buffer {
  return reply({ xid, zxid: 1n, err }, operations.getData.response, { data, stat })
}
