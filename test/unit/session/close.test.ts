import { describe, expect, test } from 'vitest'
import { Credential } from '../../../src/session/auth.ts'
import { Harness } from '../../support/session-harness.ts'
import { fatesOf, getData, setData } from '../../support/test-call.ts'

const closeGraceMs = 2_000
const authFailed = -115

describe('close', () => {
  test('sends closeSession behind what was written, and ends with its answer', () => {
    const harness = Harness.connected()
    harness.submit(setData('/a'))
    harness.turn().close()
    expect(harness.takeSent()).toEqual(['setData /a', 'closeSession'])
    expect(harness.session.state).toBe('closing')

    harness.answer().answer()
    expect(harness.changes.slice(-2)).toMatchObject([
      { state: 'closing', reason: 'close-requested' },
      { state: 'closed', reason: 'close-finished' },
    ])
    expect(harness.drops).toBe(1)
  })

  test('fails what no server has seen, and lets the rest be answered within the grace', () => {
    const harness = Harness.connected({ inFlightMax: 2 })
    const [answered, unanswered] = harness.submit(setData('/1'), setData('/2'))
    const [held] = harness.turn().submit(setData('/3'))
    harness.close()
    expect(fatesOf([answered, unanswered, held])).toEqual([
      'pending',
      'pending',
      'CLOSED not-applied',
    ])

    harness
      .advance(closeGraceMs - 1)
      .answer()
      .advance(1)
    expect(fatesOf([answered, unanswered])).toEqual(['succeeded', 'CLOSED unknown'])
    expect(harness.session.state).toBe('closed')
  })

  test('does not send what was only batched', () => {
    const harness = Harness.connected()
    const [batched] = harness.submit(setData('/1'))
    harness.close()
    expect(batched.fate).toBe('CLOSED not-applied')
    expect(harness.takeSent()).toEqual(['closeSession'])
  })

  test('waits for no window: closeSession goes out whatever is in flight', () => {
    const harness = Harness.connected({ inFlightMax: 1 })
    harness.submit(getData('/1'))
    harness.turn().close()
    expect(harness.takeSent()).toEqual(['getData /1', 'closeSession'])
  })

  test('ends at the end of its grace, even if the socket takes nothing', () => {
    const harness = Harness.connected()
    harness.isStalled = true
    const [call] = harness.submit(setData('/1'))
    harness
      .turn()
      .close()
      .advance(closeGraceMs - 1)
    expect(harness.session.state).toBe('closing')

    harness.advance(1)
    expect(harness.session.state).toBe('closed')
    expect(call.fate).toBe('CLOSED unknown')
    expect(harness.drops).toBe(1)
  })

  test('is over with the connection', () => {
    const harness = Harness.connected()
    const [call] = harness.submit(setData('/1'))
    harness.turn().close().cut(new Error('read ECONNRESET'))
    expect(harness.changes.at(-1)).toMatchObject({ state: 'closed', reason: 'disconnected' })
    expect(call.fate).toBe('CLOSED unknown')
    harness.advance(60_000)
    expect(harness.dials).toHaveLength(1)
  })

  test('does not tell an abandoned call again', () => {
    const harness = Harness.connected()
    const [gone] = harness.submit(setData('/1'))
    harness.turn().session.abandon(gone, 'ABORTED')
    harness.close().advance(closeGraceMs)
    expect(gone.fate).toBe('ABORTED unknown')
  })

  test('tells one-shot watchers, once', () => {
    const harness = Harness.connected()
    const events: string[] = []
    harness.watches.add('data', '/a', ({ type }) => events.push(type))
    harness.close()
    expect(events).toEqual([])
    harness.answer()
    expect(events).toEqual(['closed'])
  })

  test('tells credentials that wait for an answer, once', () => {
    const told: (string | undefined)[] = []
    const credential = new Credential('digest', Buffer.from('a:b'), (failure) => {
      told.push(failure?.code)
    })
    const harness = Harness.connected()
    harness.session.addCredential(credential)
    harness.close().answer()
    expect(told).toEqual(['CLOSED'])
  })

  test('forgets what comes behind the answer', () => {
    const harness = Harness.connected().close()
    const answer = Buffer.from('00000010000000010000000000000001ffffffff', 'hex')
    answer.writeInt32BE(0, 16)
    expect(harness.receive(Buffer.concat([answer, answer]))).toBeNull()
    expect(harness.session.state).toBe('closed')
  })

  // Whatever the state, it ends: at once without a connection, else within the grace.
  const ways: Record<string, (harness: Harness) => unknown> = {
    'before the first dial': () => {},
    'while it dials': (harness) => harness.turn(),
    'while it shakes hands': (harness) => harness.open(),
    'between two dials': (harness) => harness.turn().cut(),
    connected: (harness) => harness.connect(),
    'read-only': (harness) => harness.connect({ readOnly: true }),
    suspended: (harness) => harness.connect().cut(),
    'while it shakes hands again': (harness) => harness.connect().cut().open(),
    lost: (harness) => {
      harness.connect().cut()
      while (harness.session.state !== 'lost') harness.wake()
    },
    closing: (harness) => harness.connect().close(),
  }

  test.each(Object.entries(ways))('%s: everything settles and nothing is left', (_, arrange) => {
    const harness = new Harness({ readOnly: true })
    const [early] = harness.submit(getData('/early'))
    arrange(harness)
    const [late] = harness.submit(setData('/late'))
    harness.close()
    const wasAttached = harness.session.state === 'closing'
    if (wasAttached) harness.advance(closeGraceMs)

    expect(harness.session.state).toBe('closed')
    expect(fatesOf([early, late])).not.toContain('pending')
    expect(late.fate).toBe('CLOSED not-applied')
    expect(harness.session.nextDeadlineMs).toBe(Infinity)
    expect(harness.link).toBe('none')

    harness.close().advance(1_000_000)
    expect(harness.states.filter((state) => state === 'closed')).toEqual(['closed'])
    expect(harness.session.takeDial(harness.nowMs)).toBeNull()
    expect(harness.session.takeOutput(harness.nowMs)).toEqual([])
  })

  test.each([
    ['expired', (harness: Harness) => harness.cut().open().refuse()],
    ['auth-failed', (harness: Harness) => harness.reply(-4, { err: authFailed })],
    ['closed', (harness: Harness) => harness.close().answer()],
  ])('%s: that was the end already', (state, arrange) => {
    const harness = Harness.connected()
    arrange(harness)
    const changes = harness.changes.length
    harness.close().advance(1_000_000)
    expect(harness.session.state).toBe(state)
    expect(harness.changes).toHaveLength(changes)
    expect(harness.session.nextDeadlineMs).toBe(Infinity)
  })

  test('what a dying link still tells a closed session is not heard', () => {
    const harness = Harness.connected().close()
    harness.answer()
    harness.session.handleClosed(harness.nowMs, new Error('late'))
    for (let i = 1; i < 5; i++) harness.session.handleDeadline(harness.nowMs + i * 1_000_000)
    expect(harness.session.state).toBe('closed')
    expect(harness.session.lastLoss).toBeNull()
  })
})

describe('a session that has ended', () => {
  test('fails what is still asked of it, at once', () => {
    const harness = Harness.connected()
    harness.turn().close().answer()
    const [call] = harness.submit(getData('/late'))
    expect(call.fate).toBe('CLOSED not-applied')

    const told: unknown[] = []
    const credential = new Credential('ip', Buffer.alloc(0), (failure) => told.push(failure?.code))
    harness.session.addCredential(credential)
    expect(told).toEqual(['CLOSED'])
  })
})
