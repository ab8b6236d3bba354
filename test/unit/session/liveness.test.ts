import { describe, expect, test } from 'vitest'
import { isZooKeeperError } from '../../../src/protocol/errors.ts'
import { Harness, password, reply, sessionId } from '../../support/session-harness.ts'
import { getData, setData } from '../../support/test-call.ts'

const pong = reply({ xid: -2, zxid: 1n, err: 0 })
const pongMs = 4_000
const silentMs = 8_000
const lostMs = 16_000

describe('pings', () => {
  test('one goes out after a third of the timeout without anything sent', () => {
    const harness = Harness.connected().advance(pongMs - 1)
    expect(harness.takeSent()).toEqual([])
    harness.advance(1)
    expect(harness.takeFrames()).toMatchObject([{ xid: -2, text: 'ping' }])
  })

  test('a long timeout does not let a connection idle for more than ten seconds', () => {
    const harness = new Harness().connect({ timeOut: 600_000 })
    harness.advance(9_999).takeSent()
    expect(harness.takeSent()).toEqual([])
    harness.advance(1)
    expect(harness.takeSent()).toEqual(['ping'])
  })

  test('whatever is sent postpones the next one', () => {
    const harness = Harness.connected().advance(pongMs - 1)
    harness.submit(getData('/a'))
    harness.turn().answer().takeSent()

    harness.advance(pongMs - 1)
    expect(harness.takeSent()).toEqual([])
    harness.advance(1)
    expect(harness.takeSent()).toEqual(['ping'])
  })

  test('what is received does not', () => {
    const harness = Harness.connected().advance(pongMs - 1)
    harness.notify(1, '/a').advance(1)
    expect(harness.takeSent()).toEqual(['ping'])
  })

  // Behind a hundred megabytes of replies, say. A server ends the session of whoever says nothing.
  test('B20: the next one does not wait for the answer to the last', () => {
    const harness = Harness.connected().advance(pongMs)
    expect(harness.takeSent()).toEqual(['ping'])
    harness.receive(pong.subarray(0, 1)) // the server lives
    harness.advance(pongMs)
    expect(harness.takeSent()).toEqual(['ping'])
    harness.advance(1_000).receive(pong.subarray(1))
    expect(harness.monitor.counters).toMatchObject({ pings: 1, pingMs: pongMs + 1_000 })
    harness.receive(pong)
    expect(harness.monitor.counters).toMatchObject({ pings: 2, pingMs: 1_000 })
  })

  test('one that is due goes ahead of the calls of its turn', () => {
    const harness = Harness.connected()
    harness.nowMs += pongMs
    harness.submit(getData('/a'), getData('/b'))
    harness.session.handleDeadline(harness.nowMs)
    harness.turn()
    expect(harness.takeSent()).toEqual(['ping', 'getData /a', 'getData /b'])
  })

  test('one that is due waits for the socket, but for nothing else', () => {
    const harness = Harness.connected()
    harness.isStalled = true
    harness.submit(setData('/a'))
    harness.turn().submit(setData('/b'))
    harness.advance(pongMs)
    expect(harness.takeSent()).toEqual(['setData /a'])

    harness.flush()
    expect(harness.takeSent()).toEqual(['ping', 'setData /b'])
  })

  test('a new connection begins without one', () => {
    const harness = Harness.connected().advance(pongMs).cut().connect()
    harness.takeSent()
    harness.advance(pongMs - 1)
    expect(harness.takeSent()).toEqual([])
    harness.advance(1)
    expect(harness.takeSent()).toEqual(['ping'])
  })
})

describe('a half-open link', () => {
  test('R29: is given up after two thirds of the timeout in silence', () => {
    const harness = Harness.connected().advance(silentMs - 1)
    expect(harness.states).toEqual(['connected'])

    harness.advance(1)
    expect(harness.drops).toBe(1)
    expect(harness.changes.at(-1)).toMatchObject({ state: 'suspended', reason: 'disconnected' })
    const { cause } = harness.changes.at(-1)!
    expect(isZooKeeperError(cause, 'TIMEOUT')).toBe(true)
    expect(cause).toMatchObject({ server: 'zk1:2181', detail: 'the server is silent' })
  })

  test('is one that stays silent: any byte is a sign of life', () => {
    const harness = Harness.connected().advance(silentMs - 1)
    harness.receive(pong.subarray(0, 1))
    harness.advance(silentMs - 1)
    expect(harness.drops).toBe(0)
    harness.advance(1)
    expect(harness.drops).toBe(1)
  })

  // After a blocked turn the timer may fire before the socket is read, although bytes wait in it.
  test('is judged only after one more chance to read', () => {
    const harness = Harness.connected()
    harness.nowMs += 3 * silentMs
    harness.session.handleDeadline(harness.nowMs)
    expect(harness.session.takeDrop()).toBe(false)
    expect(harness.session.nextDeadlineMs).toBeLessThanOrEqual(harness.nowMs)

    harness.receive(pong)
    harness.session.handleDeadline(harness.nowMs)
    expect(harness.session.takeDrop()).toBe(false)
    expect(harness.states).toEqual(['connected'])
    expect(harness.session.nextDeadlineMs).toBeGreaterThan(harness.nowMs)

    // The next silence gets its chance, too.
    harness.nowMs += silentMs
    harness.session.handleDeadline(harness.nowMs)
    expect(harness.session.takeDrop()).toBe(false)
  })

  test('is given up if that chance brought nothing', () => {
    const harness = Harness.connected()
    harness.nowMs += silentMs
    harness.session.handleDeadline(harness.nowMs)
    harness.session.handleDeadline(harness.nowMs)
    expect(harness.session.takeDrop()).toBe(true)
    expect(harness.session.takeDrop()).toBe(false)
  })

  test('early and repeated wake-ups do nothing', () => {
    const harness = Harness.connected()
    for (let i = 0; i < 100; i++) {
      harness.nowMs += 20
      harness.session.handleDeadline(harness.nowMs)
      harness.turn()
    }
    expect(harness.takeSent()).toEqual([])
    expect(harness.states).toEqual(['connected'])
  })
})

describe('a lost session', () => {
  test('R11: is one unheard of for 4/3 of its timeout', () => {
    const harness = Harness.connected().advance(1_000).cut()
    const cutAtMs = harness.nowMs
    failDialsUntil(harness, cutAtMs - 1_000 + lostMs - 1)
    expect(harness.states).toEqual(['connected', 'suspended'])

    harness.advance(1)
    expect(harness.changes.at(-1)).toEqual({
      state: 'lost',
      previous: 'suspended',
      reason: 'unheard',
      cause: null,
    })
  })

  test('rejects what waits: seen or not, nobody can count on it any more', () => {
    const harness = Harness.connected()
    const [read, write] = harness.submit(getData('/a'), setData('/b'))
    harness.turn().cut()
    const [never] = harness.submit(setData('/c'))

    failDialsUntil(harness, harness.nowMs + lostMs)
    expect([read.fate, write.fate, never.fate]).toEqual([
      'CONNECTION_LOSS unknown',
      'CONNECTION_LOSS unknown',
      'CONNECTION_LOSS not-applied',
    ])
  })

  // An ensemble that was down as a whole does not count the time: it may still accept the session.
  test('is still offered at each dial, and may come back', () => {
    const harness = Harness.connected().cut()
    failDialsUntil(harness, harness.nowMs + lostMs)
    expect(harness.session.state).toBe('lost')
    const [call] = harness.submit(getData('/a'))

    harness.open()
    const { request } = harness.takeFrames()[0]!
    expect(request).toMatchObject({ sessionId, passwd: password })
    harness.accept().answer()
    expect(harness.session.state).toBe('connected')
    expect(call.fate).toBe('succeeded')
  })

  test('may turn out to be expired', () => {
    const harness = Harness.connected().cut()
    failDialsUntil(harness, harness.nowMs + lostMs)
    harness.open().refuse()
    expect(harness.states).toEqual(['connected', 'suspended', 'lost', 'expired'])
  })

  test('is lost in the same wake-up that finds its link dead, if it is that late', () => {
    const harness = Harness.connected()
    harness.nowMs += lostMs
    harness.session.handleDeadline(harness.nowMs)
    harness.session.handleDeadline(harness.nowMs)
    expect(harness.states).toEqual(['connected', 'suspended', 'lost'])
  })

  // A proxy in front of dead servers may say something; it does not speak for the session.
  test('is not kept alive by peers that do not get through the handshake', () => {
    const harness = Harness.connected().cut()
    const endMs = harness.nowMs + lostMs
    while (harness.nowMs < endMs) {
      harness.open().receive(Buffer.from([0]))
      harness.cut().advance(Math.min(1_000, endMs - harness.nowMs))
    }
    expect(harness.states).toEqual(['connected', 'suspended', 'lost'])
  })

  test('a session that never was cannot be lost', () => {
    const harness = new Harness()
    failDialsUntil(harness, harness.nowMs + 10 * lostMs)
    expect(harness.states).toEqual([])
  })
})

function failDialsUntil(harness: Harness, endMs: number): void {
  while (harness.nowMs < endMs) {
    if (harness.link !== 'none') harness.cut(new Error('connect ECONNREFUSED'))
    const wakeMs = Math.max(harness.session.nextDeadlineMs, harness.nowMs)
    harness.advance(Math.min(wakeMs, endMs) - harness.nowMs)
  }
}
