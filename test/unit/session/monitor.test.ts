import { describe, expect, test } from 'vitest'
import { type CallTrace } from '../../../src/session/call.ts'
import { handshakeOf, Harness, reply, sessionId } from '../../support/session-harness.ts'
import { exists, getData, setData, type TestCall } from '../../support/test-call.ts'

const pong = reply({ xid: -2, zxid: 1n, err: 0 })

describe('counters', () => {
  test('count bytes and frames of the handshake, of calls and of pings', () => {
    const harness = new Harness().open()
    const { counters } = harness.monitor
    const [handshake] = harness.takeFrames()
    expect(counters).toMatchObject({ framesOut: 1, bytesOut: handshake!.bytes.length + 4 })

    harness.accept()
    expect(counters).toMatchObject({ framesIn: 1, bytesIn: handshakeOf().length })

    harness.submit(getData('/a'), setData('/b', Buffer.alloc(40_000)))
    const before = counters.bytesOut
    const sent = harness.turn().takeFrames()
    const bytes = sent.reduce((sum, frame) => sum + frame.bytes.length + 4, 0)
    expect(counters).toMatchObject({ framesOut: 3, bytesOut: before + bytes })

    harness.advance(4_000)
    expect(counters).toMatchObject({ framesOut: 4, bytesOut: before + bytes + 12 })
    expect(harness.takeSent()).toEqual(['ping'])
  })

  test('tell how long the last ping took', () => {
    const harness = Harness.connected()
    const { counters } = harness.monitor
    expect(counters.pingMs).toBeNull()
    harness.advance(4_000)
    harness.nowMs += 7
    harness.receive(pong)
    expect(counters).toMatchObject({ pings: 1, pingMs: 7 })
  })

  test('tell connections from sessions', () => {
    const harness = Harness.connected()
    harness.cut().connect()
    expect(harness.monitor.counters).toMatchObject({ connections: 2, sessions: 1 })
  })

  test('count calls by what was told of them', () => {
    const harness = Harness.connected({ frameInBytesMax: 100 })
    harness.submit(getData('/a'), exists('/missing'), getData('/missing'), setData('/large'))
    harness.submit(setData('/lost'), getData('/waits'))
    harness.turn().answer().answer({ err: -101 }).answer({ err: -101 })
    harness.receive(longReply(4))
    harness.cut()
    expect(harness.monitor.counters).toMatchObject({
      succeeded: 2,
      notApplied: 1,
      applied: 1,
      unknown: 1,
    })
  })
})

test('watches are counted by kind', () => {
  const harness = Harness.connected()
  harness.watches.add('data', '/a', () => {})
  harness.watches.add('data', '/a', () => {})
  harness.watches.add('recursive', '/a', () => {})
  const none = { exist: 0, child: 0, persistent: 0 }
  expect(harness.watches.counts).toEqual({ data: 1, recursive: 1, ...none })
})

describe('a link', () => {
  test('is told of step by step, with what ended it', () => {
    const harness = new Harness({ hosts: ['zk1', 'zk2'] }).connect()
    const cause = new Error('reset')
    harness.advance(100).cut(cause)
    expect(harness.links).toEqual([
      { link: 'dialling', trigger: 'dialled', server: 'zk1:2181', cause: null },
      { link: 'handshaking', trigger: 'opened', server: 'zk1:2181', cause: null },
      { link: 'attached', trigger: 'accepted', server: 'zk1:2181', cause: null },
      { link: 'idle', trigger: 'failed', server: 'zk1:2181', cause },
      { link: 'dialling', trigger: 'dialled', server: 'zk2:2181', cause: null },
    ])
  })
})

describe('a stall', () => {
  test('of a server is told once, when half of the session timeout is over', () => {
    const harness = Harness.connected().advance(5_999)
    expect(harness.stalls).toEqual([])
    harness.advance(1_000)
    expect(harness.stalls).toEqual([{ kind: 'server', ms: 6_000, server: 'zk1:2181' }])
  })

  test('is told again after the server has said something', () => {
    const harness = Harness.connected().advance(6_000)
    harness.receive(pong)
    harness.advance(6_000)
    expect(harness.stalls).toHaveLength(2)
  })

  test('of this process is told as such, and not as one of the server', () => {
    const harness = Harness.connected()
    harness.nowMs += 5_000
    harness.session.handleDeadline(harness.nowMs, harness.nowMs - 1_500)
    expect(harness.stalls).toEqual([{ kind: 'event-loop', ms: 1_500, server: 'zk1:2181' }])
    harness.advance(1_999)
    expect(harness.stalls).toHaveLength(1)
    harness.advance(1) // by now the ping could have been answered
    expect(harness.stalls[1]).toEqual({ kind: 'server', ms: 7_000, server: 'zk1:2181' })
  })

  test('that a tenth of the session timeout does not reach is not told', () => {
    const harness = Harness.connected()
    harness.nowMs += 1_199
    harness.session.handleDeadline(harness.nowMs, harness.nowMs - 1_199)
    expect(harness.stalls).toEqual([])
  })
})

describe('the trace of a call', () => {
  test('has its numbers, and those of its reply', () => {
    const harness = Harness.connected()
    const call = traced(setData('/a', Buffer.alloc(40_000)))
    harness.submit(getData('/b'), call)
    const [, frame] = harness.turn().takeFrames()
    harness.answer().answer({ zxid: 7n })
    expect(call.trace).toEqual({
      xid: 2,
      zxid: 7n,
      server: 'zk1:2181',
      sessionId,
      bytesOut: frame!.bytes.length + 4,
      bytesIn: 4 + 16 + 68,
      outcome: 'succeeded',
      code: null,
    })
  })

  test('has the code of a refusal', () => {
    const harness = Harness.connected()
    const [call, missing] = harness.submit(traced(getData('/a')), traced(exists('/a')))
    harness.turn().answer({ err: -101 }).answer({ err: -101 })
    expect(call.trace).toMatchObject({ code: 'NO_NODE', outcome: 'not-applied', bytesIn: 20 })
    expect(missing.trace).toMatchObject({ code: null, outcome: 'succeeded' })
  })

  test('has the length of a reply that was too long to keep', () => {
    const harness = Harness.connected({ frameInBytesMax: 64 })
    const [call] = harness.submit(traced(getData('/a')))
    harness.turn()
    harness.receive(longReply(1))
    expect(call.trace).toMatchObject({ code: 'REPLY_TOO_LARGE', bytesIn: 120 })
  })

  test('says that it was never sent', () => {
    const harness = new Harness()
    const [call] = harness.submit(traced(getData('/a')))
    harness.close()
    expect(call.trace).toMatchObject({
      code: 'CLOSED',
      outcome: 'not-applied',
      bytesOut: 0,
      xid: null,
    })
  })
})

/** A reply with a body of 100 bytes. */
function longReply(xid: number): Buffer {
  const long = Buffer.concat([reply({ xid, zxid: 1n, err: 0 }), Buffer.alloc(100)])
  long.writeInt32BE(116)
  return long
}

function traced<T extends TestCall>(call: T): T {
  const trace: CallTrace = {
    xid: null,
    zxid: null,
    server: null,
    sessionId: null,
    bytesOut: 0,
    bytesIn: 0,
    outcome: null,
    code: null,
  }
  call.trace = trace
  return call
}
