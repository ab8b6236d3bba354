import { describe, expect, test } from 'vitest'
import { Credential } from '../../../src/session/auth.ts'
import { Harness, sessionId, sessionTimeoutMs } from '../../support/session-harness.ts'
import { fatesOf, getData, setData } from '../../support/test-call.ts'

const hostsOf = (...names: string[]) => names.map((name) => ({ name, port: 2181 }))
/** The harness dials zk1, zk2 and zk3 in this order. */
const withoutFirst = hostsOf('zk2', 'zk3')

describe('another list of servers', () => {
  test('a client whose server is gone leaves it, and resumes its session elsewhere', () => {
    const harness = Harness.connected()
    harness.session.updateHosts(harness.nowMs, withoutFirst)
    harness.turn()
    expect(harness.drops).toBe(1)
    expect(harness.session.server).toBeNull()

    harness.open()
    expect(harness.takeFrames()[0]!.request.sessionId).toBe(sessionId)
    harness.accept()
    expect(harness.dials.at(-1)).toMatchObject({ name: 'zk2', atMs: harness.nowMs })
    expect(harness.changes.slice(1)).toEqual([
      { state: 'suspended', previous: 'connected', reason: 'moved', cause: null },
      { state: 'connected', previous: 'suspended', reason: 'established', cause: null },
    ])
  })

  test('a client whose server is still there stays', () => {
    const harness = Harness.connected()
    harness.session.updateHosts(harness.nowMs, hostsOf('zk1', 'zk4'))
    harness.turn().advance(sessionTimeoutMs / 2)
    expect(harness.states).toEqual(['connected'])
  })

  // A write that is cut off would be unknown, for no reason but balance.
  test('what was written is answered before the server is left; later calls wait', () => {
    const harness = Harness.connected()
    const written = harness.submit(setData('/1'), getData('/2'))
    harness.turn()
    harness.session.updateHosts(harness.nowMs, withoutFirst)
    const [late] = harness.submit(setData('/3'))
    harness.turn().answer()
    expect(harness.states).toEqual(['connected'])

    harness.answer()
    expect(fatesOf(written)).toEqual(['succeeded', 'succeeded'])
    expect(harness.states).toEqual(['connected', 'suspended'])
    harness.takeSent()
    harness.connect()
    expect(harness.takeSent()).toEqual(['connect', 'setData /3'])
    harness.answer()
    expect(late.fate).toBe('succeeded')
  })

  test('a server that does not answer is left after a third of the timeout', () => {
    const harness = Harness.connected()
    const calls = harness.submit(setData('/1'), getData('/2'))
    harness.turn()
    harness.session.updateHosts(harness.nowMs, withoutFirst)
    harness.advance(sessionTimeoutMs / 3 - 1)
    expect(harness.drops).toBe(0)

    harness.advance(1)
    expect(harness.drops).toBe(1)
    expect(fatesOf(calls)).toEqual(['CONNECTION_LOSS unknown', 'pending'])
  })

  test.each(['dialling', 'handshaking'])(
    'a host that is gone is not waited for while %s',
    (when) => {
      const harness = new Harness().turn()
      if (when === 'handshaking') harness.open()
      harness.session.updateHosts(harness.nowMs, withoutFirst)
      harness.turn()
      expect(harness.drops).toBe(1)
      expect(harness.dials.map(({ name }) => name)).toEqual(['zk1', 'zk2'])
      expect(harness.states).toEqual([])
    },
  )

  test('a pause between dials ends when there are other hosts', () => {
    const harness = new Harness({ hosts: ['zk1'] }).turn().cut()
    harness.session.updateHosts(harness.nowMs, hostsOf('zk4'))
    harness.turn()
    expect(harness.dials.at(-1)).toMatchObject({ name: 'zk4', atMs: harness.nowMs })
  })

  test('each host has its share of the time from then on', () => {
    const harness = new Harness({ hosts: ['zk1'] })
    harness.session.updateHosts(harness.nowMs, hostsOf('zk1', 'a', 'b', 'c'))
    harness.turn().advance(sessionTimeoutMs / 4)
    expect(harness.drops).toBe(1)
  })

  test('close() does not wait for the move', () => {
    const harness = Harness.connected()
    harness.submit(getData('/1'))
    harness.turn()
    harness.session.updateHosts(harness.nowMs, withoutFirst)
    harness.close().advance(1_999)
    expect(harness.states).toEqual(['connected', 'closing'])

    harness.answerAll()
    expect(harness.states).toEqual(['connected', 'closing', 'closed'])
  })

  test('a session that is being closed stays where it is', () => {
    const harness = Harness.connected().close()
    harness.session.updateHosts(harness.nowMs, withoutFirst)
    harness.turn().answerAll()
    expect(harness.states).toEqual(['connected', 'closing', 'closed'])
  })

  test('a session that has ended does nothing', () => {
    const harness = Harness.connected().close().answerAll()
    harness.session.updateHosts(harness.nowMs, withoutFirst)
    expect(harness.turn().session.nextDeadlineMs).toBe(Infinity)
  })

  test('credentials that are rejected meanwhile end it', () => {
    const harness = Harness.connected()
    harness.submit(getData('/1'))
    harness.turn()
    harness.session.updateHosts(harness.nowMs, withoutFirst)
    harness.reply(-4, { err: -115 })
    expect(harness.states).toEqual(['connected', 'auth-failed'])
  })

  test('an identity that is added meanwhile is told to the next server', () => {
    const harness = Harness.connected()
    harness.submit(getData('/1'))
    harness.turn().takeSent()
    harness.session.updateHosts(harness.nowMs, withoutFirst)
    harness.session.addCredential(new Credential('digest', Buffer.from('a:b')))
    harness.turn().answer().connect()
    expect(harness.takeSent()).toEqual(['connect', 'auth'])
  })
})
