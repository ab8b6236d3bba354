import { describe, expect, test } from 'vitest'
import { isZooKeeperError } from '../../../src/protocol/errors.ts'
import { Harness, sessionTimeoutMs } from '../../support/session-harness.ts'
import { getData } from '../../support/test-call.ts'

const refused = new Error('connect ECONNREFUSED')

describe('dialling', () => {
  test('the first dial is immediate', () => {
    const harness = new Harness()
    expect(harness.session.nextDeadlineMs).toBe(harness.nowMs)
    harness.turn()
    expect(harness.dials).toEqual([{ name: 'zk1', attempt: 0, atMs: harness.nowMs }])
  })

  test('one dial at a time', () => {
    const harness = new Harness().turn()
    harness.turn().advance(100)
    expect(harness.dials).toHaveLength(1)
  })

  test('no pause is longer than a third of the session timeout', () => {
    const harness = new Harness({
      sessionTimeoutMs: 6_000,
      backoff: { msMin: 1_000, msMax: 60_000 },
    })
    harness.dice = 1
    expect(pausesOfFailures(harness, 6)).toEqual([0, 1_000, 2_000, 2_000, 2_000, 2_000])
  })

  // Full jitter: the pause is anywhere between nothing and the ceiling, as the dice fall.
  test('the ceiling of the pause doubles with each failure, up to its own', () => {
    const harness = new Harness({ backoff: { msMin: 100, msMax: 1_000 } })
    harness.dice = 1
    expect(pausesOfFailures(harness, 7)).toEqual([0, 100, 200, 400, 800, 1_000, 1_000])

    harness.dice = 0.25
    expect(pausesOfFailures(harness, 2).slice(1)).toEqual([250])
  })

  test('all hosts have their turn before one has its second', () => {
    const harness = new Harness({ hosts: ['a', 'b', 'c'] })
    pausesOfFailures(harness, 7)
    const dials = harness.dials.map(({ name, attempt }) => `${name}${attempt}`)
    expect(dials).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'c1', 'a2'])
  })

  test('after a session that lived, the first dial is immediate and goes to another host', () => {
    const harness = new Harness()
    pausesOfFailures(harness, 5)
    harness.connect().advance(100).cut()

    const dials = harness.dials.slice(-2)
    expect(dials.map(({ name }) => name)).toEqual(['zk3', 'zk1'])
    expect(dials[1]!.atMs).toBe(harness.nowMs)
  })

  test('after such a session the pauses begin from the smallest again', () => {
    const harness = new Harness()
    pausesOfFailures(harness, 5)
    harness.dice = 1
    harness.connect().advance(100).cut()

    expect(pausesOfFailures(harness, 3)).toEqual([0, 100, 200])
  })

  // Else a server that accepts everybody and drops them would be dialled in a tight loop, for ever.
  test('R10: a session that breaks at once is one more failure', () => {
    const harness = new Harness()
    harness.dice = 1
    pausesOfFailures(harness, 3)
    harness.connect().advance(99).cut(refused)
    expect(harness.session.state).toBe('suspended')

    const pauseMs = harness.session.nextDeadlineMs - harness.nowMs
    expect(pauseMs).toBe(800)
  })

  test('a connection that opens without a session is one more failure', () => {
    const harness = new Harness()
    harness.dice = 1
    for (const pauseMs of [100, 200, 400]) {
      harness.open().cut()
      expect(harness.session.nextDeadlineMs - harness.nowMs).toBe(pauseMs)
    }
  })

  test.each(['dial', 'handshake'])('a %s that takes longer than its share is given up', (stage) => {
    const harness = new Harness({ hosts: ['a', 'b', 'c'] }).turn()
    if (stage === 'handshake') harness.open()
    harness.advance(sessionTimeoutMs / 3 - 1)
    expect(harness.drops).toBe(0)

    harness.advance(1)
    expect(harness.drops).toBe(1)
    expect(isZooKeeperError(harness.session.lastLoss, 'TIMEOUT')).toBe(true)
    harness.advance(100)
    expect(harness.dials.map(({ name }) => name)).toEqual(['a', 'b'])
  })

  test('a dial has no more than its share, however much of it the opening took', () => {
    const harness = new Harness({ hosts: ['a', 'b', 'c'] }).turn()
    harness.advance(3_999).open()
    harness.advance(1)
    expect(harness.drops).toBe(1)
  })

  test('a late turn gives a dial one more chance', () => {
    const harness = new Harness({ hosts: ['a'] }).open()
    harness.nowMs += 60_000 // the process slept; the answer waits in the socket
    harness.session.handleDeadline(harness.nowMs)
    harness.turn().accept()
    expect(harness.states).toEqual(['connected'])
    expect(harness.drops).toBe(0)
  })

  test('why a dial failed is kept for those who ask', () => {
    const harness = new Harness().turn()
    harness.cut(refused)
    expect(harness.session.lastLoss).toBe(refused)
  })

  test('calls wait for a session through failed dials', () => {
    const harness = new Harness()
    const [call] = harness.submit(getData('/a'))
    pausesOfFailures(harness, 3)
    expect(call.fate).toBe('pending')

    harness.connect().answer()
    expect(call.fate).toBe('succeeded')
  })

  test('a dial that ends twice is a mistake of the driver', () => {
    const harness = new Harness()
    expect(() => harness.cut()).toThrow('link: "failed" while "idle" (SYSTEM_ERROR)')
  })
})

/** Lets dials fail at once, and notes how long each was waited for. */
function pausesOfFailures(harness: Harness, count: number): number[] {
  return Array.from({ length: count }, () => {
    const fromMs = harness.nowMs
    if (harness.link === 'none') harness.wake()
    const pauseMs = harness.nowMs - fromMs
    harness.cut(refused)
    return pauseMs
  })
}
