/**
 * A server that is broken or means harm. Whatever it sends, each call ends in one stated way, the
 * session goes on with another server, and nothing is thrown at anybody.
 * `docs/failure-scenarios.md` says what A5 to A26 are.
 */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Writer } from '../../../src/protocol/bytes.ts'
import { KeeperState } from '../../../src/protocol/constants.ts'
import { ProtocolError } from '../../../src/protocol/errors.ts'
import { type Operation, operations } from '../../../src/protocol/operations.ts'
import { WatcherEvent } from '../../../src/protocol/records.ts'
import { callable, sampleCall, sampleResponse } from '../../support/sample-frames.ts'
import { framed, handshakeOf, Harness, reply } from '../../support/session-harness.ts'
import {
  fatesOf,
  getChildren,
  getData,
  setData,
  stat,
  type TestCall,
} from '../../support/test-call.ts'

const { getData: get, getChildren: list } = operations
const named = callable.map((operation) => [operation.name, operation] as const)

afterEach(() => {
  vi.restoreAllMocks()
})

describe('A5: however the bytes are cut', () => {
  test('100,000 replies in one read are read in one loop', () => {
    const count = 100_000
    const harness = Harness.connected({ inFlightMax: count })
    const calls = Array.from({ length: count }, () => getData('/a'))
    for (const call of calls) harness.submit(call)
    harness.turn()
    while (harness.session.pipeline.wantsWrite) harness.turn()
    const stream = Buffer.concat(calls.map((_, index) => dataReply(index + 1)))
    harness.session.handleBytes(harness.nowMs, stream)
    expect(calls.filter(({ fate }) => fate === 'succeeded')).toHaveLength(count)
  })

  test('the answers to all operations are the same byte by byte as all at once', () => {
    const [whole, single] = [Harness.connected(), Harness.connected()].map((harness, index) => {
      const calls = callable.map(sampleCall)
      for (const call of calls) harness.submit(call)
      harness.turn()
      const stream = Buffer.concat(
        callable.map((operation, at) => replyTo(operation, at + 1, sampleResponse(operation))),
      )
      if (index === 0) harness.receive(stream)
      else for (const byte of stream) harness.receive(Buffer.of(byte))
      return calls.map(({ fate, response }) => ({ fate, response }))
    })
    expect(single).toEqual(whole)
    expect(whole!.map(({ response }) => response)).toEqual(callable.map(sampleResponse))
  })
})

describe('a length that cannot be', () => {
  test.each(['ffffffff', '80000000', 'fffffff6'])('A6: %s, a negative one', (hex) => {
    const harness = Harness.connected()
    const [read, write] = harness.submit(getData('/a'), setData('/b'))
    harness.turn()
    expect(harness.receive(Buffer.from(hex, 'hex'))).toBeInstanceOf(ProtocolError)
    expect([read.fate, write.fate]).toEqual(['pending', 'CONNECTION_LOSS unknown'])
    expectGoesOn(harness, 'getData')
  })

  // The refusal makes the session leave the link; handling the next fault, it would leave it twice.
  test('A6: is not seen behind a frame on which the link was given up', () => {
    const harness = Harness.connected()
    harness.watches.add('persistent', '/a', () => undefined)
    harness.cut().connect()
    const refusal = reply({ xid: 1, zxid: 1n, err: -5 })
    expect(harness.receive(Buffer.concat([refusal, Buffer.from('ffffffff', 'hex')]))).toBeNull()
    expect(harness.states).toEqual(['connected', 'suspended', 'connected', 'suspended'])
    harness.connect()
    expect(harness.session.state).toBe('connected')
  })

  test.each([
    ['2 GiB', Buffer.concat([Buffer.from('7fffffff', 'hex'), Buffer.alloc(64, 1)])],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a sentence', Buffer.from('This ZooKeeper instance is not currently serving requests')],
    ['TLS', Buffer.from('15030300020228'.padEnd(60, '0'), 'hex')],
  ])('A7: %s is refused before room is made for it', (_, bytes) => {
    const harness = Harness.connected()
    const [write] = harness.submit(setData('/a'))
    harness.turn()
    const allocate = vi.spyOn(Buffer, 'allocUnsafeSlow')
    expect(harness.receive(bytes)).toBeInstanceOf(ProtocolError)
    const sizes = allocate.mock.calls.map(([size]) => size)
    expect(Math.max(0, ...sizes)).toBeLessThan(100)
    expect(write.fate).toBe('CONNECTION_LOSS unknown')
    expectGoesOn(harness)
  })

  // What follows in the same read completes the header: it must not be taken for a part of it.
  test('A9: of 0 to 15 bytes, less than a header', () => {
    const answer = reply({ xid: 1, zxid: 1n, err: 0 }).subarray(4)
    for (let length = 0; length < 16; length++) {
      const harness = Harness.connected()
      const [write, read] = harness.submit(sampleCall(operations.delete), getData('/a'))
      harness.turn()
      const prefix = Buffer.from([0, 0, 0, length])
      const error = harness.receive(Buffer.concat([prefix, answer]))
      expect(error, `${length} bytes`).toBeInstanceOf(ProtocolError)
      expect([write.fate, read.fate]).toEqual(['CONNECTION_LOSS unknown', 'pending'])
      expectGoesOn(harness, 'getData')
    }
  })
})

describe.each(named)('the reply to %s', (_, operation) => {
  const body = bodyOf(operation, sampleResponse(operation))

  test('A10: that ends too early, anywhere, fails this call and costs the connection', () => {
    for (let length = 0; length < body.length; length++) {
      const harness = Harness.connected()
      const [call, behind] = harness.submit(sampleCall(operation), setData('/behind'))
      harness.turn()
      const error = harness.receive(rawReply(1, body.subarray(0, length)))
      expect(error, `${length} bytes`).toBeInstanceOf(ProtocolError)
      expect(call.failure).toMatchObject({ code: 'PROTOCOL_ERROR', cause: error })
      expect(call.failure?.outcome).toBe(operation.refusesInBody ? 'unknown' : 'applied')
      expect(behind.fate).toBe('CONNECTION_LOSS unknown')
      expectGoesOn(harness)
    }
  })

  test('A11: may have more fields than this client knows', () => {
    for (const more of [1, 4, 17, 100]) {
      const harness = Harness.connected()
      const [call, behind] = harness.submit(sampleCall(operation), setData('/behind'))
      harness.turn()
      harness.receive(rawReply(1, Buffer.concat([body, Buffer.alloc(more, 0xff)])))
      harness.receive(replyTo(operations.setData, 2, { stat }))
      expect([call.fate, behind.fate]).toEqual(['succeeded', 'succeeded'])
      expect(call.response).toEqual(sampleResponse(operation))
      expect(harness.monitor.counters.ignoredBytes).toBe(more)
    }
  })

  test.each([-125, -127, -999, 5, 2 ** 31 - 1])('A24: with the error %i', (err) => {
    const harness = Harness.connected()
    const [call, behind] = harness.submit(sampleCall(operation), getData('/behind'))
    harness.turn().answer({ err })
    harness.answer()
    const code =
      { [-125]: 'QUOTA_EXCEEDED', [-127]: 'THROTTLED_OP' }[err as -125 | -127] ?? 'UNKNOWN_ERROR'
    // Nobody can say what an error means that no table knows.
    const outcome = code === 'UNKNOWN_ERROR' ? 'unknown' : 'not-applied'
    expect(call.failure).toMatchObject({ code, errno: err, outcome })
    expect(behind.fate).toBe('succeeded')
    expect(harness.states).toEqual(['connected'])
  })
})

describe('a count or a length inside a reply', () => {
  test.each([-2, -(2 ** 31), 3, 2 ** 31 - 1])('A12: %i names where two are sent', (count) => {
    const harness = Harness.connected()
    const [call] = harness.submit(getChildren('/a'))
    harness.turn()
    const body = bodyOf(list, { children: ['x', 'y'] })
    body.writeInt32BE(count)
    expect(harness.receive(rawReply(1, body))).toBeInstanceOf(ProtocolError)
    expect(call.fate).toBe('PROTOCOL_ERROR applied')
    expectGoesOn(harness)
  })

  test('A12: a count of -1 is an empty list, as servers send it', () => {
    const harness = Harness.connected()
    const [call] = harness.submit(getChildren('/a'))
    harness.turn().receive(rawReply(1, Buffer.from('ffffffff', 'hex')))
    expect(call.response).toEqual({ children: [] })
  })

  test.each([-2, -(2 ** 31), 100, 2 ** 31 - 1])(
    'A13: %i bytes of data where 3 are sent',
    (length) => {
      const harness = Harness.connected()
      const [call] = harness.submit(getData('/a'))
      harness.turn()
      const body = bodyOf(get, { data: Buffer.from('abc'), stat })
      body.writeInt32BE(length)
      expect(harness.receive(rawReply(1, body))).toBeInstanceOf(ProtocolError)
      expect(call.fate).toBe('PROTOCOL_ERROR applied')
      expectGoesOn(harness)
    },
  )

  test.each([-2, -1, 2, 2 ** 31 - 1])('A13: a path of %i bytes where 1 is sent', (length) => {
    const harness = Harness.connected()
    const body = Buffer.from('00000001000000030000000161', 'hex') // type, state, 'a'
    body.writeInt32BE(length, 8)
    const notification = rawReply(-1, body)
    expect(harness.receive(notification)).toBeInstanceOf(ProtocolError)
    expectGoesOn(harness)
  })
})

describe('A14: bytes that are not UTF-8', () => {
  test('in a list of children are U+FFFD', () => {
    const harness = Harness.connected()
    const [call] = harness.submit(getChildren('/a'))
    harness.turn()
    const body = bodyOf(list, { children: ['ab', 'c'] })
    body[8] = 0xff
    harness.receive(rawReply(1, body))
    expect(call.response).toEqual({ children: ['\ufffdb', 'c'] })
  })

  test('in the path of an event concern nobody, and the next event is heard', () => {
    const harness = Harness.connected()
    const heard: string[] = []
    harness.watches.add('persistent', '/a', ({ path }) => heard.push(path))
    harness.receive(rawReply(-1, Buffer.from('000000030000000300000002c080', 'hex')))
    harness.notify(3, '/a')
    expect(heard).toEqual(['/a'])
  })
})

describe('replies in another order than the calls', () => {
  test('A15: 2, 1, 3 settles none of three writes', () => {
    const harness = Harness.connected()
    const calls = harness.submit(setData('/1'), setData('/2'), setData('/3'))
    harness.turn()
    harness.receive(
      Buffer.concat([2, 1, 3].map((xid) => replyTo(operations.setData, xid, { stat }))),
    )
    expect(fatesOf(calls)).toEqual(Array(3).fill('CONNECTION_LOSS unknown'))
    expectGoesOn(harness)
  })

  test('A15: 1, 3, 2 settles what came before the fault', () => {
    const harness = Harness.connected()
    const calls = harness.submit(setData('/1'), setData('/2'), setData('/3'))
    harness.turn()
    harness.receive(
      Buffer.concat([1, 3, 2].map((xid) => replyTo(operations.setData, xid, { stat }))),
    )
    const unknown = 'CONNECTION_LOSS unknown'
    expect(fatesOf(calls)).toEqual(['succeeded', unknown, unknown])
    expectGoesOn(harness)
  })

  test.each([0, -3, -5, -7, -8, -(2 ** 31)])('A19: %i answers no call, ever', (xid) => {
    const harness = Harness.connected()
    const [call] = harness.submit(setData('/a'))
    harness.turn()
    expect(harness.reply(xid)).toBeInstanceOf(ProtocolError)
    expect(call.fate).toBe('CONNECTION_LOSS unknown')
    expectGoesOn(harness)
  })
})

describe('A18: an event', () => {
  test.each([
    ['of an unknown type', { type: 99, state: 3, path: '/a' }],
    ['of a negative type', { type: -2, state: 3, path: '/a' }],
    ['without a type', { type: -1, state: 3, path: '' }],
    ['of an unwatched path', { type: 3, state: 3, path: '/other' }],
    ['with an empty path', { type: 3, state: 3, path: '' }],
    ['with a path that is none', { type: 1, state: 3, path: 'a//b/' }],
  ])('%s is told to nobody and harms nothing', (_, { type, state, path }) => {
    const harness = Harness.connected()
    const heard: unknown[] = []
    harness.watches.add('data', '/a', (event) => heard.push(event))
    harness.watches.add('recursive', '/a', (event) => heard.push(event))
    const body = framed((writer) => {
      writer.int(type)
      writer.int(state)
      writer.ustring(path)
    })
    expect(harness.receive(rawReply(-1, body.subarray(4)))).toBeNull()
    expect(heard).toEqual([])
    expect(harness.states).toEqual(['connected'])
    expect(harness.monitor.counters.ignoredEvents).toBe(1)
  })

  test('with more fields than this client knows is heard', () => {
    const harness = Harness.connected()
    const heard: unknown[] = []
    harness.watches.add('data', '/a', ({ type }) => heard.push(type))
    harness.receive(rawReply(-1, Buffer.from('0000000300000003000000022f61ffffff', 'hex')))
    expect(heard).toEqual(['NodeDataChanged'])
    expect(harness.monitor.counters).toMatchObject({ ignoredBytes: 3, ignoredEvents: 0 })
  })

  // In Java the client itself hands these to every watcher. No server should send one.
  const kinds = ['data', 'exist', 'child', 'persistent', 'recursive'] as const
  test.each(Object.entries(KeeperState))(
    'R48: of the session, %s, is told to no watch',
    (_, state) => {
      const harness = Harness.connected()
      const heard: unknown[] = []
      for (const kind of kinds) {
        for (const path of ['/', '/a'])
          harness.watches.add(kind, path, (event) => heard.push(event))
      }
      for (const path of ['', '/', '/a']) {
        harness.receive(
          reply({ xid: -1, zxid: -1n, err: 0 }, WatcherEvent, { type: -1, state, path }),
        )
      }
      expect(heard).toEqual([])
      expect(harness.states).toEqual(['connected'])
      expect(harness.watches.size).toBe(10)
      expect(harness.monitor.counters.ignoredEvents).toBe(3)
    },
  )

  test('in an unknown state of the server is an event all the same', () => {
    const harness = Harness.connected()
    const heard: unknown[] = []
    harness.watches.add('data', '/a', ({ type }) => heard.push(type))
    const body = Buffer.from('0000000300000063000000022f61', 'hex')
    harness.receive(rawReply(-1, body))
    expect(heard).toEqual(['NodeDataChanged'])
  })
})

describe('A20: the handshake', () => {
  test.each([
    ['a reply', reply({ xid: 1, zxid: 1n, err: 0 })],
    ['a long reply', dataReply(1)],
    ['the answer to a ping', reply({ xid: -2, zxid: 0n, err: 0 })],
    ['an event', rawReply(-1, Buffer.from('0000000300000003000000022f61', 'hex'))],
  ])('%s in its place costs the dial', (_, bytes) => {
    const harness = new Harness().open()
    expect(harness.receive(bytes)).toBeInstanceOf(ProtocolError)
    expect(harness.states).toEqual([])
    harness.connect()
    expect(harness.session.server).toBe('zk2:2181')
  })

  test('of a session that goes on: a reply in its place does not say that it has expired', () => {
    const harness = Harness.connected().cut().open()
    expect(harness.receive(dataReply(1))).toBeInstanceOf(ProtocolError)
    harness.connect()
    expect(harness.states).toEqual(['connected', 'suspended', 'connected'])
  })

  test('a second answer costs the connection, and changes neither id nor timeout', () => {
    const harness = Harness.connected()
    const { id, timeoutMs } = harness.session
    const second = handshakeOf({ sessionId: 666n, timeOut: 1 })
    expect(harness.receive(second)).toBeInstanceOf(ProtocolError)
    expect(harness.session).toMatchObject({ id, timeoutMs })
    expectGoesOn(harness)
  })
})

test('A22: the longest timeout that can be granted is neither now nor never', () => {
  const timeOut = 2 ** 31 - 1
  const harness = new Harness().connect({ timeOut })
  expect(harness.session.nextDeadlineMs).toBe(harness.nowMs + 10_000) // a ping, first
  harness.advance(10_000)
  expect(harness.session.nextDeadlineMs).toBe(harness.nowMs + 10_000) // and another one
  harness.advance((timeOut * 2) / 3 - 20_000)
  expect(harness.states).toEqual(['connected'])
  harness.advance(20_000)
  expect(harness.states).toEqual(['connected', 'suspended'])
})

describe('A26: the body of a multi', () => {
  const call = () => sampleCall(operations.multi)

  test.each([
    ['without its end', (body: Buffer) => body.subarray(0, -9)],
    ['with a result of a type that does not exist', (body: Buffer) => patch(body, 0, 99)],
    ['with an opcode that has no result', (body: Buffer) => patch(body, 0, 3)],
    ['with nothing', () => Buffer.alloc(0)],
  ])('%s leaves its outcome unknown, and costs the connection', (_, garble) => {
    const harness = Harness.connected()
    const [multi] = harness.submit(call())
    harness.turn()
    const body = garble(bodyOf(operations.multi, sampleResponse(operations.multi)))
    expect(harness.receive(rawReply(1, body))).toBeInstanceOf(ProtocolError)
    expect(multi.fate).toBe('PROTOCOL_ERROR unknown')
    expectGoesOn(harness)
  })

  test('that is too large to be read leaves its outcome unknown', () => {
    const harness = Harness.connected({ frameInBytesMax: 100 })
    const [multi] = harness.submit(call())
    harness.turn().receive(rawReply(1, Buffer.alloc(200)))
    expect(multi.fate).toBe('REPLY_TOO_LARGE unknown')
    expect(harness.states).toEqual(['connected'])
  })
})

/** The session continues with another server, which gets what may be sent again and nothing else. */
function expectGoesOn(harness: Harness, ...resent: string[]): void {
  const [before, after] = [harness.session.id, getData('/after')] as [bigint, TestCall]
  harness.takeSent()
  harness.connect().submit(after)
  const sent = harness
    .turn()
    .takeFrames()
    .map(({ operation }) => operation.name)
  expect(sent).toEqual(['connect', ...resent, 'getData'])
  harness.answerAll()
  expect(after.fate).toBe('succeeded')
  expect(harness.states).toEqual(['connected', 'suspended', 'connected'])
  expect(harness.session.id).toBe(before)
}

function bodyOf({ response }: Operation, value: unknown): Buffer {
  const writer = new Writer()
  response.write(writer, value)
  return writer.written
}

function replyTo({ response }: Operation, xid: number, value: unknown): Buffer {
  return reply({ xid, zxid: 1n, err: 0 }, response, value)
}

function rawReply(xid: number, body: Buffer): Buffer {
  return framed((writer) => {
    writer.int(xid)
    writer.long(1n)
    writer.int(0)
    writer.raw(body)
  })
}

function dataReply(xid: number): Buffer {
  return replyTo(get, xid, { data: null, stat })
}

function patch(body: Buffer, at: number, value: number): Buffer {
  body.writeInt32BE(value, at)
  return body
}
