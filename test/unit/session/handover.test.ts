import { describe, expect, test } from 'vitest'
import { ZooKeeperError } from '../../../src/protocol/errors.ts'
import { Harness, password, sessionId, sessionTimeoutMs } from '../../support/session-harness.ts'
import { fatesOf, getData, setData } from '../../support/test-call.ts'

const handover = { id: sessionId, password, lastZxid: 0x5_ffff_fffen }

describe('a session that is handed over', () => {
  test('is offered with all that the other client had seen', () => {
    const harness = new Harness({ handover }).open()
    expect(harness.takeFrames()[0]!.request).toMatchObject({
      sessionId,
      passwd: password,
      lastZxidSeen: 0x5_ffff_fffen,
    })
    harness.accept()
    expect(harness.changes).toMatchObject([{ state: 'connected', previous: 'connecting' }])
  })

  test('is expired if a server says so, and no other is opened', () => {
    const harness = new Harness({ handover }).open().refuse()
    expect(harness.changes).toMatchObject([{ state: 'expired', previous: 'connecting' }])
  })

  test('is left without a word, when all is answered that was written', () => {
    const harness = Harness.connected()
    const [written] = harness.submit(setData('/1'))
    harness.turn().takeSent()
    const [waiting] = harness.submit(setData('/2'))
    harness.session.handOver(harness.nowMs)
    harness.turn()
    expect(waiting.fate).toBe('CLOSED not-applied')
    expect(harness.states.at(-1)).toBe('closing')

    harness.answer({ zxid: 77n })
    expect(written.fate).toBe('succeeded')
    expect(harness.turn().takeSent()).toEqual([])
    expect(harness.states.at(-1)).toBe('closed')
    expect(harness.session.handover).toEqual({ id: sessionId, password, lastZxid: 77n })
  })

  test('is left after the grace if nothing is answered', () => {
    const harness = Harness.connected()
    const calls = harness.submit(setData('/1'))
    harness.turn()
    harness.session.handOver(harness.nowMs)
    harness.advance(1_999)
    expect(harness.states.at(-1)).toBe('closing')
    harness.advance(1)
    expect(harness.states.at(-1)).toBe('closed')
    expect(fatesOf(calls)).toEqual(['CLOSED unknown'])
  })

  test('is left at once without a link', () => {
    const harness = Harness.connected().cut()
    harness.session.handOver(harness.nowMs)
    expect(harness.turn().states.at(-1)).toBe('closed')
    expect(harness.session.nextDeadlineMs).toBe(Infinity)
  })

  test('is none before a quorum has opened one', () => {
    expect(new Harness().session).toMatchObject({ id: 0n, handover: null })
  })
})

describe('a session that another client uses, too', () => {
  const cutEarly = (harness: Harness, times: number, cause: unknown = null) => {
    for (let i = 0; i < times; i++) harness.connect().advance(500).cut(cause)
  }

  test('is given up when servers have ended five connections in a row, each of them early', () => {
    const harness = new Harness({ handover })
    cutEarly(harness, 4)
    expect(harness.states.at(-1)).toBe('suspended')
    const [waiting] = harness.submit(getData('/a'))
    cutEarly(harness, 1)
    expect(harness.changes.at(-1)).toMatchObject({
      state: 'expired',
      reason: 'taken-over',
      cause: { code: 'SESSION_MOVED' },
    })
    expect(waiting.fate).toBe('SESSION_EXPIRED unknown')
  })

  test('is kept when one of the connections has lived for the session timeout', () => {
    const harness = new Harness({ handover })
    cutEarly(harness, 4)
    harness.connect()
    for (let i = 0; i < 3; i++) harness.advance(sessionTimeoutMs / 3).reply(-2)
    harness.cut()
    cutEarly(harness, 4)
    expect(harness.states.at(-1)).toBe('suspended')
  })

  test('is kept when it was this client that gave the connections up', () => {
    const harness = new Harness({ handover })
    cutEarly(harness, 9, new ZooKeeperError('PROTOCOL_ERROR'))
    expect(harness.states.at(-1)).toBe('suspended')
  })

  test('is never given up by the client that opened it: nobody else can have it', () => {
    const harness = new Harness()
    cutEarly(harness, 20)
    expect(harness.states.at(-1)).toBe('suspended')
  })

  test('is not given up once it is being closed', () => {
    const harness = new Harness({ handover })
    cutEarly(harness, 4)
    harness.connect().close().cut()
    expect(harness.states.at(-1)).toBe('closed')
  })

  test('B17: SESSION_MOVED fails the call and ends the connection; the session is offered again', () => {
    const harness = Harness.connected()
    const calls = harness.submit(setData('/1'), setData('/2'))
    harness.turn().answer({ err: -118 })
    expect(fatesOf(calls)).toEqual(['SESSION_MOVED not-applied', 'CONNECTION_LOSS unknown'])
    expect(harness.session.lastLoss).toMatchObject({ code: 'SESSION_MOVED', server: 'zk1:2181' })
    expect(harness.drops).toBe(1)
    harness.connect()
    expect(harness.states).toEqual(['connected', 'suspended', 'connected'])
  })

  // Some servers open another session rather than say that this one is gone.
  test('R42: an answer with another id means that the session has expired', () => {
    const harness = Harness.connected()
      .cut()
      .connect({ sessionId: sessionId + 1n })
    expect(harness.states).toEqual(['connected', 'suspended', 'expired'])
    expect(harness.session.id).toBe(sessionId)
  })
})

describe('servers that have less data than this client has seen', () => {
  /** Lost: every server has met the session with silence for long enough. */
  function lost(): Harness {
    const harness = Harness.connected({ hosts: ['zk1'], backoff: { msMin: 1, msMax: 1 } })
    harness.submit(getData('/a'))
    harness.turn().answer({ zxid: 100n }).cut()
    while (harness.session.state !== 'lost') {
      harness.open().cut()
      harness.advance(1_000)
    }
    harness.takeFrames()
    return harness
  }

  test('are asked, once the session is lost, whether they know it', () => {
    const harness = lost()
    if (harness.link === 'none') harness.wake()
    harness.open()
    expect(harness.takeFrames()[0]!.request).toMatchObject({ sessionId, lastZxidSeen: 0n })
    harness.refuse()
    expect(harness.changes.at(-1)).toMatchObject({ state: 'expired', reason: 'data-lost' })
  })

  // It would read the past.
  test('are not believed if they do know it', () => {
    const harness = lost().open().accept()
    expect(harness.session.state).toBe('lost')
    expect(harness.session.lastLoss).toMatchObject({ code: 'DATA_INCONSISTENCY' })
  })

  // The question keeps it alive; it has to run out, so that the next answer is "expired".
  test('are not asked again before the session had time to run out', () => {
    const harness = lost().open().accept()
    harness.takeFrames()
    const askedAtMs = harness.nowMs
    const zxids: bigint[] = []
    while (harness.nowMs < askedAtMs + 2 * sessionTimeoutMs + 2_000) {
      harness.open()
      zxids.push(harness.takeFrames()[0]!.request.lastZxidSeen)
      harness.cut().advance(500)
    }
    expect(zxids.filter((zxid) => zxid === 0n)).toHaveLength(1)
    expect(zxids.indexOf(0n)).toBeGreaterThan(zxids.length / 2)
  })

  test('are never asked while the session may be alive', () => {
    const harness = Harness.connected({ backoff: { msMin: 1, msMax: 1 } })
    harness.submit(getData('/a'))
    harness.turn().answer({ zxid: 100n }).takeFrames()
    harness.cut()
    while (harness.session.state === 'suspended') {
      harness.open()
      if (harness.session.state !== 'suspended') break
      expect(harness.takeFrames()[0]!.request.lastZxidSeen).toBe(100n)
      harness.cut().advance(500)
    }
  })
})
