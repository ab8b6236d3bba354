import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ZooKeeperError } from '../../../src/protocol/errors.ts'
import { Credential } from '../../../src/session/auth.ts'
import { type SaslLogin } from '../../../src/session/sasl.ts'
import { Harness, type HarnessOptions } from '../../support/session-harness.ts'
import { getData, setData } from '../../support/test-call.ts'

const login: SaslLogin = {
  mechanism: 'TEST',
  exchange: { initialResponse: Buffer.from('hello'), evaluate: () => null },
}
const authFailed = -115
const saslRequired = -124

const harnessOf = (options: HarnessOptions = {}) => new Harness({ login, ...options })

/** A session whose server has just asked its mechanism something. */
function challenged(options?: HarnessOptions): Harness {
  const harness = harnessOf(options).connect()
  harness.answer({ body: { token: Buffer.from('who?') } })
  return harness
}

/** The mechanism is content. */
function finish(harness: Harness): Harness {
  harness.session.handleSaslAnswer(harness.nowMs, null)
  return harness.turn()
}

describe('SASL', () => {
  test('comes first on every connection: before auth, before watches, before requests', () => {
    const credentials = [new Credential('ip', Buffer.alloc(0))]
    const harness = harnessOf({ credentials })
    harness.watches.add('data', '/w', () => {})
    harness.submit(getData('/a'))
    for (const _ of ['at first', 'after a cut']) {
      harness.connect()
      expect(harness.takeSent()).toEqual(['connect', 'sasl'])
      harness.answer({ body: { token: Buffer.from('who?') } })
      expect(harness.session.takeChallenge()).toEqual({ token: Buffer.from('who?') })
      expect(harness.takeSent()).toEqual([])
      finish(harness)
      expect(harness.takeSent()).toEqual(['auth', 'setWatches', 'getData /a'])
      harness.cut()
    }
    expect(harness.states).toEqual(['connected', 'suspended', 'connected', 'suspended'])
  })

  test('goes on for as many tokens as the mechanism wants', () => {
    const harness = challenged()
    expect(harness.takeFrames()[1]?.request).toEqual({ token: Buffer.from('hello') })
    for (const word of ['one', 'two']) {
      harness.session.handleSaslAnswer(harness.nowMs, Buffer.from(word))
      expect(harness.turn().takeFrames()[0]?.request).toEqual({ token: Buffer.from(word) })
      harness.answer({ body: { token: null } })
      expect(harness.session.takeChallenge()).toEqual({ token: null })
      expect(harness.session.takeChallenge()).toBeNull()
    }
    expect(harness.states).toEqual([])
    expect(finish(harness).states).toEqual(['connected'])
  })

  test('lets the session be resumed, although it is not connected yet', () => {
    const harness = challenged().cut()
    expect(harness.states).toEqual([])
    harness.connect()
    const [handshake] = harness
      .takeFrames()
      .filter(({ text }) => text === 'connect')
      .slice(-1)
    expect(handshake?.request.sessionId).toBe(harness.session.id)
    expect(harness.session.id).not.toBe(0n)
  })

  test('keeps a read-only server apart from others', () => {
    const harness = harnessOf({ readOnly: true }).connect({ readOnly: true })
    harness.answer({ body: { token: null } })
    expect(finish(harness).states).toEqual(['read-only'])
  })

  test('L10: that is cut off begins anew, and the calls wait', () => {
    const harness = challenged()
    const [call] = harness.submit(setData('/a'))
    harness.cut()
    expect(harness.session.takeChallenge()).toBeNull()
    harness.connect()
    expect(harness.takeSent().slice(-2)).toEqual(['connect', 'sasl'])
    expect(call.fate).toBe('pending')
    finish(harness.answer())
    harness.answer()
    expect(call.fate).toBe('succeeded')
  })

  test('L10: that is cut off while an answer is due gets its own on the next link', () => {
    const harness = harnessOf().connect()
    harness.cut().connect()
    expect(harness.takeSent().slice(-2)).toEqual(['connect', 'sasl'])
    harness.answer({ body: { token: Buffer.from('who?') } })
    expect(harness.session.takeChallenge()).toEqual({ token: Buffer.from('who?') })
    expect(finish(harness).states).toEqual(['connected'])
  })

  test('that takes too long is given up for another server', () => {
    const harness = challenged()
    harness.wake().wake()
    expect(harness.session.lastLoss).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/too long to open/),
    })
    expect(harness.open().dials.map(({ name }) => name)).toEqual(['zk1', 'zk2'])
  })

  test('L10: is over when the server answers something else, and another server is tried', () => {
    const harness = harnessOf().connect()
    expect(harness.reply(7)).toMatchObject({ code: 'PROTOCOL_ERROR' })
    expect(harness.connect().takeSent().slice(-2)).toEqual(['connect', 'sasl'])
  })

  test('is over when the server’s answer cannot be read', () => {
    const harness = harnessOf().connect()
    expect(harness.answer({ body: null }).session.lastLoss).toMatchObject({
      code: 'PROTOCOL_ERROR',
    })
    expect(harness.states).toEqual([])
  })

  test('is left for another list of servers', () => {
    const harness = challenged()
    harness.session.updateHosts(harness.nowMs, [{ name: 'zk9', port: 2181 }])
    harness.connect()
    expect(harness.dials.map(({ name }) => name)).toEqual(['zk1', 'zk9'])
    expect(harness.takeSent().slice(-2)).toEqual(['connect', 'sasl'])
  })

  test('ends with the session when that is closed meanwhile', () => {
    const harness = challenged().close()
    expect(harness.states).toEqual(['closed'])
    expect(harness.link).toBe('none')
    harness.session.handleSaslAnswer(harness.nowMs, Buffer.from('late'))
    expect(harness.session.nextDeadlineMs).toBe(Infinity)
  })

  test('is not printed with its session', () => {
    const harness = challenged()
    expect(inspect(harness.session, { depth: Infinity, showHidden: true })).not.toContain('hello')
  })
})

describe('rejected SASL', () => {
  test.each([
    ['at first', () => harnessOf(), []],
    ['while suspended', () => finish(challenged()).cut(), ['connected', 'suspended']],
    [
      'while lost',
      () => finish(challenged()).cut().advance(20_000),
      ['connected', 'suspended', 'lost'],
    ],
  ])('ends the session, %s', (_, arrange, before) => {
    const harness = arrange().connect()
    const [waiting] = harness.submit(getData('/a'))
    harness.answer({ err: authFailed, body: null })
    expect(harness.states).toEqual([...before, 'auth-failed'])
    expect(harness.changes.at(-1)).toMatchObject({
      reason: 'auth-rejected',
      cause: {
        code: 'AUTH_FAILED',
        errno: authFailed,
        detail: 'the server rejected the TEST authentication',
        server: expect.stringMatching(/^zk\d:2181$/),
      },
    })
    expect(waiting.fate).toBe('AUTH_FAILED not-applied')
    expect(harness.link).toBe('none')
    expect(harness.session.nextDeadlineMs).toBe(Infinity)
  })

  test('is told from a server that demands SASL of everybody', () => {
    const harness = harnessOf().connect().answer({ err: saslRequired, body: null })
    expect(harness.session.lastLoss).toMatchObject({ code: 'SESSION_CLOSED_REQUIRE_SASL_AUTH' })
    expect(harness.session.state).toBe('auth-failed')
  })

  test('by the mechanism itself ends the session, too', () => {
    const error = new ZooKeeperError('AUTH_FAILED', { detail: 'the server has proved nothing' })
    const harness = challenged().cut(error)
    expect(harness.session.state).toBe('auth-failed')
    expect(harness.session.lastLoss).toBe(error)
    expect(harness.changes.at(-1)?.cause).toBe(error)
  })

  test('in the middle of the work fails what waits and what was written', () => {
    const harness = finish(challenged())
    const [written] = harness.submit(setData('/1'))
    harness.turn().cut().connect()
    const [waiting] = harness.submit(setData('/2'))
    harness.answer({ err: authFailed, body: null })
    expect([written.fate, waiting.fate]).toEqual([
      'CONNECTION_LOSS unknown',
      'AUTH_FAILED not-applied',
    ])
  })
})
