import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Credential } from '../../../src/session/auth.ts'
import { Harness } from '../../support/session-harness.ts'
import { getData, setData } from '../../support/test-call.ts'

const authFailed = -115
const saslRequired = -124

/** A credential, and what was told of it. */
function noted(scheme = 'digest', secret = 'bob:secret') {
  const told: (string | undefined)[] = []
  const credential = new Credential(scheme, Buffer.from(secret), (failure) => {
    told.push(failure?.code)
  })
  return { credential, told }
}

describe('auth', () => {
  test('R14: goes out first on every connection: before watches, before requests', () => {
    const harness = new Harness({ credentials: [noted().credential, noted('ip', '').credential] })
    harness.watches.add('data', '/w', () => {})
    harness.submit(getData('/a'))
    harness.connect()
    expect(harness.takeSent()).toEqual(['connect', 'auth', 'auth', 'setWatches', 'getData /a'])

    harness.cut().connect()
    const frames = harness.takeFrames()
    expect(frames.map(({ text }) => text)).toEqual([
      'connect',
      'auth',
      'auth',
      'setWatches',
      'getData /a',
    ])
    expect(frames[1]).toMatchObject({
      xid: -4,
      request: { type: 0, scheme: 'digest', auth: Buffer.from('bob:secret') },
    })
  })

  test('that is added to a connection goes out on it, in call order', () => {
    const harness = Harness.connected()
    const { credential, told } = noted()
    harness.submit(getData('/before'))
    harness.session.addCredential(credential)
    harness.submit(getData('/after'))
    expect(harness.turn().takeSent()).toEqual(['getData /before', 'auth', 'getData /after'])
    expect(told).toEqual([])
    harness.answerAll()
    expect(told).toEqual([undefined])
  })

  test('that is added without a connection goes out on the next one, once', () => {
    const harness = new Harness()
    harness.session.addCredential(new Credential('digest', Buffer.from('bob:secret')))
    harness.connect()
    expect(harness.takeSent()).toEqual(['connect', 'auth'])
    harness.answer()
    expect(harness.states).toEqual(['connected'])
  })

  test('is told of its first answer, and not of those on later connections', () => {
    const { credential, told } = noted()
    const harness = new Harness({ credentials: [credential] }).connect().cut()
    expect(told).toEqual([]) // a lost connection decides nothing
    harness.connect().answer()
    expect(told).toEqual([undefined])
    harness.cut().connect().answer()
    harness.close().answer()
    expect(told).toEqual([undefined])
  })

  test('replies may overtake those to requests', () => {
    const { credential, told } = noted()
    const harness = Harness.connected()
    const [call] = harness.submit(getData('/a'))
    harness.session.addCredential(credential)
    harness.turn().reply(-4)
    expect(told).toEqual([undefined])
    expect(call.fate).toBe('pending')
    harness.answer()
    expect(call.fate).toBe('succeeded')
  })

  test('counts neither as a request in flight nor as one that is due', () => {
    const harness = Harness.connected({ inFlightMax: 1 })
    harness.session.addCredential(noted().credential)
    harness.turn().submit(getData('/a'))
    expect(harness.turn().takeSent()).toEqual(['auth', 'getData /a'])
  })

  test('is not printed with its credential', () => {
    expect(inspect(noted().credential, { depth: 9, showHidden: true })).not.toContain('secret')
  })
})

describe('rejected auth', () => {
  test('is the end of the session and of everything in it', () => {
    const bad = noted()
    const other = noted()
    const harness = Harness.connected({ credentials: [bad.credential, other.credential] })
    const events: string[] = []
    harness.watches.add('data', '/w', ({ type }) => events.push(type))
    const [written] = harness.submit(setData('/1'))
    harness.turn()
    const [batched] = harness.submit(setData('/2'))
    harness.reply(-4, { err: authFailed })

    expect(harness.changes.at(-1)).toMatchObject({ state: 'auth-failed', reason: 'auth-rejected' })
    expect(bad.told).toEqual(['AUTH_FAILED'])
    expect(other.told).toEqual(['AUTH_FAILED'])
    expect([written.fate, batched.fate]).toEqual(['AUTH_FAILED unknown', 'AUTH_FAILED not-applied'])
    expect(events).toEqual(['closed'])
    expect(harness.link).toBe('none')
    expect(harness.session.nextDeadlineMs).toBe(Infinity)
  })

  test('does not take back what was accepted', () => {
    const good = noted()
    const bad = noted()
    const harness = new Harness({ credentials: [good.credential, bad.credential] }).connect()
    harness.answer()
    harness.answer({ err: authFailed })
    expect([good.told, bad.told]).toEqual([[undefined], ['AUTH_FAILED']])
  })

  test('A17: is the end even if no answer was due', () => {
    const harness = Harness.connected()
    harness.reply(-4, { err: authFailed })
    expect(harness.session.state).toBe('auth-failed')
  })

  test('leaves the other frames of the same read unread', () => {
    const harness = Harness.connected()
    const [call] = harness.submit(getData('/a'))
    harness.turn()
    const rejected = Buffer.from('00000010fffffffc0000000000000000ffffff8d', 'hex')
    const stray = Buffer.from('00000010000000630000000000000000ffffff8d', 'hex')
    expect(harness.receive(Buffer.concat([rejected, stray]))).toBeNull()
    expect(call.fate).toBe('AUTH_FAILED unknown')
  })

  test('is how a server answers anything at all if it insists on SASL', () => {
    const harness = Harness.connected()
    const [call] = harness.submit(getData('/a'))
    harness.turn().answer({ err: saslRequired, zxid: 0n })
    expect(harness.session.state).toBe('auth-failed')
    expect(call.fate).toBe('SESSION_CLOSED_REQUIRE_SASL_AUTH unknown')
  })

  test('while the session closes only makes it close sooner', () => {
    const harness = Harness.connected()
    harness.close().reply(-4, { err: authFailed })
    expect(harness.states).toEqual(['connected', 'closing', 'closed'])
    expect(harness.session.nextDeadlineMs).toBe(Infinity)
  })
})
