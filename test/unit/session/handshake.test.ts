import { describe, expect, test } from 'vitest'
import { ProtocolError } from '../../../src/protocol/errors.ts'
import {
  framed,
  Harness,
  handshakeOf,
  password,
  reply,
  sessionId,
  sessionTimeoutMs,
} from '../../support/session-harness.ts'
import { getData } from '../../support/test-call.ts'

const noPassword = Buffer.alloc(16)

describe('handshake', () => {
  test('a new session asks for its timeout and offers nothing', () => {
    const harness = new Harness().open()

    const [handshake, ...others] = harness.takeFrames()
    expect(handshake!.request).toEqual({
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeOut: sessionTimeoutMs,
      sessionId: 0n,
      passwd: noPassword,
      readOnly: false,
    })
    expect(others).toEqual([])
    expect(harness.session.state).toBe('connecting')
  })

  test('R72: what the server grants is what holds', () => {
    const harness = new Harness().connect({ timeOut: 6_000 })

    expect(harness.changes).toEqual([
      { state: 'connected', previous: 'connecting', reason: 'established', cause: null },
    ])
    const { id, timeoutMs, server } = harness.session
    expect({ id, timeoutMs, server }).toEqual({
      id: sessionId,
      timeoutMs: 6_000,
      server: 'zk1:2181',
    })
  })

  test('nothing else is sent before the answer', () => {
    const harness = new Harness()
    harness.submit(getData('/a'))
    harness.open().turn()
    expect(harness.takeSent()).toEqual(['connect'])

    harness.accept()
    expect(harness.takeSent()).toEqual(['getData /a'])
  })

  test.each([
    ['lost', (harness: Harness) => harness.session.handleClosed(harness.nowMs, null)],
    ['given up by close', (harness: Harness) => harness.session.close(harness.nowMs)],
  ])('of a link that was %s before it was taken is not sent any more', (_, end) => {
    const harness = new Harness().turn()
    harness.session.handleOpened()
    end(harness)
    expect(harness.session.takeOutput(harness.nowMs)).toEqual([])
  })

  // The next server must not be one that knows less than we have seen.
  test('after a cut the session is resumed with its id, password and last zxid', () => {
    const harness = Harness.connected()
    harness.submit(getData('/a'))
    harness.turn().answer({ zxid: 0x2_0000_0007n }).takeSent()

    harness.cut().open()
    expect(harness.takeFrames()[0]!.request).toEqual({
      protocolVersion: 0,
      lastZxidSeen: 0x2_0000_0007n,
      timeOut: sessionTimeoutMs, // what we would like, not what the last server granted
      sessionId,
      passwd: password,
      readOnly: false,
    })
    harness.accept()
    expect(harness.states).toEqual(['connected', 'suspended', 'connected'])
  })

  test('A22: a server that answers 0 to a session we had says that it has expired', () => {
    const harness = Harness.connected()
    harness.cut().open().refuse()

    expect(harness.states).toEqual(['connected', 'suspended', 'expired'])
    expect(harness.link).toBe('none')
    expect(harness.session.server).toBeNull()
    expect(harness.session.nextDeadlineMs).toBe(Infinity)
  })

  test('A22: a server that answers 0 to a new session is not the last word', () => {
    const harness = new Harness().open().refuse()
    expect(harness.session.lastLoss).toBeInstanceOf(ProtocolError)
    expect(harness.states).toEqual([])

    harness.connect()
    expect(harness.dials.map(({ name }) => name)).toEqual(['zk1', 'zk2'])
    expect(harness.states).toEqual(['connected'])
  })

  test('a server without a quorum makes the session read-only', () => {
    const harness = new Harness({ readOnly: true }).open()
    expect(harness.takeFrames()[0]!.request.readOnly).toBe(true)

    harness.accept({ readOnly: true })
    expect(harness.changes).toMatchObject([{ state: 'read-only', reason: 'established-read-only' }])
  })

  // A server without a quorum makes its ids up: the others would call them expired.
  test('the id of a read-only session is not offered to other servers', () => {
    const harness = new Harness({ readOnly: true }).connect({ sessionId: 7n, readOnly: true })
    harness.takeSent()

    harness.cut().open()
    expect(harness.takeFrames()[0]!.request.sessionId).toBe(0n)
    harness.accept()
    expect(harness.session.id).toBe(sessionId)
    expect(harness.states).toEqual(['read-only', 'suspended', 'connected'])
  })

  test('a session once known to a quorum keeps its id while it is read-only', () => {
    const harness = Harness.connected({ readOnly: true })
    harness.cut().connect({ readOnly: true }).takeSent()

    harness.cut().open()
    expect(harness.takeFrames()[0]!.request.sessionId).toBe(sessionId)
  })

  test('R92: a server of 3.3 leaves the read-only byte out', () => {
    const harness = new Harness().connect({ readOnly: null })
    expect(harness.states).toEqual(['connected'])
  })

  test('a null password is offered as sixteen zeros', () => {
    const harness = Harness.connected()
    harness.cut().connect({ passwd: null }).takeSent()

    harness.cut().open()
    expect(harness.takeFrames()[0]!.request.passwd).toEqual(noPassword)
  })

  test('the answer may come in any two pieces', () => {
    const answer = handshakeOf()
    for (let at = 1; at < answer.length; at++) {
      const harness = new Harness().open()
      harness.receive(answer.subarray(0, at))
      expect(harness.session.state).toBe('connecting')
      harness.receive(answer.subarray(at))
      expect(harness.session.state).toBe('connected')
    }
  })

  test.each([
    [
      'a reply header of 16 bytes, as a read-only server sends',
      reply({ xid: 0, zxid: 0n, err: -4 }),
    ],
    ['a web server', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['an empty frame', framed(() => {})],
    ['a frame beyond all handshakes', framed((writer) => writer.reserve(1_025))],
    ['a negative length', Buffer.from('ffffffff', 'hex')],
    ['another protocol version', handshakeOf({ protocolVersion: 1 })],
    ['A22: a negative timeout', handshakeOf({ timeOut: -1 })],
  ])('%s instead of an answer is no session, but the next host may have one', (_, bytes) => {
    const harness = new Harness().open()
    expect(harness.receive(bytes)).toBeInstanceOf(ProtocolError)
    expect(harness.states).toEqual([])

    harness.connect()
    expect(harness.session.server).toBe('zk2:2181')
  })

  test('what follows the answer in the same read is read', () => {
    const pong = reply({ xid: -2, zxid: 0n, err: 0 })
    const stray = reply({ xid: 5, zxid: 0n, err: 0 })
    const harness = new Harness().open()

    const error = harness.receive(Buffer.concat([handshakeOf(), pong, stray]))
    expect(error).toMatchObject({ detail: 'reply 5 answers no request' })
    expect(harness.states).toEqual(['connected', 'suspended'])
  })

  test('what follows a refusal in the same read belongs to nobody', () => {
    const harness = Harness.connected()
    harness.cut().open()
    const refusal = handshakeOf({ timeOut: 0, sessionId: 0n })

    expect(harness.receive(Buffer.concat([refusal, Buffer.alloc(64)]))).toBeNull()
    expect(harness.session.state).toBe('expired')
  })
})
