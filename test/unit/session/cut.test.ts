import { describe, expect, test } from 'vitest'
import { Harness } from '../../support/session-harness.ts'
import { fatesOf, getData, removeWatches, setData } from '../../support/test-call.ts'

const stages = ['held', 'batched', 'written', 'answered'] as const
type Stage = (typeof stages)[number]

const kinds = {
  read: () => getData('/a'),
  write: () => setData('/a', 'data'),
  connection: () => removeWatches('/a'),
}

/** What becomes of a call at the cut, and whether the next connection is told of it. */
const fates: Record<keyof typeof kinds, Record<Stage, readonly [fate: string, isSent: boolean]>> = {
  read: {
    held: ['pending', true],
    batched: ['pending', true],
    written: ['pending', true],
    answered: ['succeeded', false],
  },
  write: {
    held: ['pending', true],
    batched: ['pending', true],
    written: ['CONNECTION_LOSS unknown', false],
    answered: ['succeeded', false],
  },
  connection: {
    held: ['CONNECTION_LOSS not-applied', false],
    batched: ['CONNECTION_LOSS not-applied', false],
    written: ['CONNECTION_LOSS unknown', false],
    answered: ['succeeded', false],
  },
}

describe('a cut', () => {
  const cells = Object.entries(fates).flatMap(([kind, row]) => {
    return stages.map((stage) => {
      const [fate, isSent] = row[stage]
      return {
        kind: kind as keyof typeof kinds,
        stage,
        fate,
        isSent,
        then: isSent ? 'sent' : 'not',
      }
    })
  })

  test.each(cells)(
    'of a $kind that is $stage: $fate, then $then',
    ({ kind, stage, fate, isSent }) => {
      const harness = Harness.connected({ inFlightMax: 1 })
      const call = kinds[kind]()
      if (stage === 'held') {
        harness.submit(setData('/in-flight'))
        harness.turn()
      }
      harness.submit(call)
      if (stage === 'written' || stage === 'answered') harness.turn()
      if (stage === 'answered') harness.answer()
      harness.takeSent()

      harness.cut()
      expect(call.fate).toBe(fate)
      harness.connect().turn()
      expect(harness.takeFrames().slice(1)).toHaveLength(isSent ? 1 : 0)
      if (isSent) harness.answer()
      expect(call.fate).toBe(isSent ? 'succeeded' : fate)
    },
  )

  test('leaves the order of what is sent after it: reads again, then what waited', () => {
    const harness = Harness.connected()
    harness.submit(getData('/1'), setData('/lost'), getData('/2'))
    harness.turn().submit(setData('/3'), getData('/4'))
    harness.cut().submit(getData('/5'), setData('/6'))
    harness.takeSent()

    harness.connect()
    expect(harness.takeSent().slice(1)).toEqual([
      'getData /1',
      'getData /2',
      'setData /3',
      'getData /4',
      'getData /5',
      'setData /6',
    ])
  })

  test('gives reads that are sent again new xids, so that no reply is mistaken', () => {
    const harness = Harness.connected()
    const calls = harness.submit(getData('/1'), getData('/2'))
    harness.turn().cut().takeSent()

    const frames = harness.connect().takeFrames().slice(1)
    expect(frames.map(({ xid }) => xid)).toEqual([3, 4])
    harness.answer().answer()
    expect(calls.map(({ fate }) => fate)).toEqual(['succeeded', 'succeeded'])
  })

  test('may come again and again: reads survive it each time', () => {
    const harness = Harness.connected()
    const calls = harness.submit(getData('/1'), getData('/2'), getData('/3'))
    harness.turn().answer()
    for (let i = 0; i < 4; i++) harness.cut().connect()
    harness.answer().cut().connect().answer()
    expect(calls.map(({ fate }) => fate)).toEqual(['succeeded', 'succeeded', 'succeeded'])
  })

  test('fails calls in their order, with its cause and the server that may know more', () => {
    const harness = Harness.connected()
    const failed: string[] = []
    const calls = harness.submit(setData('/1'), removeWatches('/2'), setData('/3'))
    for (const call of calls) call.onSettled = ({ path }) => failed.push(path)

    const cause = new Error('read ECONNRESET')
    harness.turn().cut(cause)
    expect(failed).toEqual(['/1', '/2', '/3'])
    expect(calls[0].failure).toMatchObject({ cause, server: 'zk1:2181', outcome: 'unknown' })
  })

  test.each(['held for a link', 'held for room', 'batched'])(
    'does not let a caller change the data of a write that is %s',
    (stage) => {
      const harness = Harness.connected({ inFlightMax: 2 })
      if (stage === 'held for a link') harness.cut()
      if (stage === 'held for room') {
        harness.submit(setData('/1'), setData('/2'))
        harness.turn()
      }
      const data = Buffer.alloc(16 * 1024, 'a')
      harness.submit(setData('/a', data))
      data.fill('b')

      if (stage !== 'held for a link') harness.cut()
      harness.takeSent()
      const [, frame] = harness.connect().takeFrames()
      expect(frame!.request.data.toString('latin1')).toBe('a'.repeat(16 * 1024))
    },
  )

  test('sends a write that was only batched as it was, but for its xid', () => {
    const large = Buffer.alloc(40_000, 'large')
    const frameOf = (isCut: boolean) => {
      const harness = Harness.connected()
      harness.submit(getData('/before'), setData('/a', large), setData('/after', 'small'))
      if (isCut) harness.cut().connect()
      const frames = harness.turn().takeFrames().slice(-2)
      return frames.map(({ bytes }) => bytes.toString('latin1', 4))
    }
    expect(frameOf(true)).toEqual(frameOf(false))
  })

  test('may leave a write in the socket: its memory is not used for the next connection', () => {
    const harness = Harness.connected()
    harness.isStalled = true
    harness.submit(setData('/1', 'in the socket'))
    harness.turn()
    const waiting = harness.submit(setData('/2', 'waits for the socket'))
    harness.isStalled = false
    harness.cut().connect()

    expect(harness.takeSent()).toEqual(['setData /1', 'connect', 'setData /2'])
    harness.answer()
    expect(waiting[0].fate).toBe('succeeded')
  })

  test('never fails a read because there is no room for it to wait', () => {
    const harness = Harness.connected({ queuedBytesMax: 1_000 })
    const calls = Array.from({ length: 20 }, (_, i) => getData(`/${i}`))
    harness.submit(...calls)
    harness.turn().cut()
    expect(harness.session.pipeline.held.counts.calls).toBe(20)
    expect(harness.submit(getData('/more'))[0].fate).toBe('QUEUE_FULL not-applied')

    harness.connect().answerAll()
    expect(new Set(fatesOf(calls))).toEqual(new Set(['succeeded']))
    expect(harness.session.pipeline.held.counts).toEqual({ calls: 0, bytes: 0 })
  })

  test('forgets what was abandoned, wherever it was', () => {
    const harness = Harness.connected({ inFlightMax: 4 })
    const calls = ['/1', '/2', '/3', '/4', '/5', '/6'].map((path) => getData(path))
    const [written, , batched, , held] = calls
    harness.submit(...calls.slice(0, 2))
    harness.turn().submit(...calls.slice(2))
    for (const call of [written!, batched!, held!]) harness.session.abandon(call, 'ABORTED')

    harness.cut().takeSent()
    harness.connect()
    expect(harness.takeSent().slice(1)).toEqual(['getData /2', 'getData /4', 'getData /6'])
    expect(harness.session.pipeline.held.counts).toEqual({ calls: 0, bytes: 0 })
  })

  test('does not make a read that was sent once less than unknown', () => {
    const harness = Harness.connected()
    const [seen] = harness.submit(getData('/1'))
    harness.turn().submit(getData('/2'))
    const [unseen] = harness.submit(getData('/3'))
    harness.cut()
    harness.session.abandon(seen, 'ABORTED')
    harness.session.abandon(unseen, 'ABORTED')
    expect([seen.fate, unseen.fate]).toEqual(['ABORTED unknown', 'ABORTED not-applied'])
  })

  test('of a connection that did not carry a read does not undo that an earlier one did', () => {
    const harness = Harness.connected()
    const [seen] = harness.submit(getData('/1'))
    harness.turn().cut()
    harness.isStalled = true // the handshake fills the socket
    harness.connect().cut()
    expect(harness.takeSent()).toEqual(['getData /1', 'connect'])
    harness.session.abandon(seen, 'ABORTED')
    expect(seen.fate).toBe('ABORTED unknown')
  })
})

describe('an expiry', () => {
  test('fails the reads that were sent, and keeps what no server has seen for a successor', () => {
    const harness = Harness.connected()
    const [seen, write] = harness.submit(getData('/1'), setData('/2'))
    harness.turn()
    const [batched] = harness.submit(setData('/3', 'kept'))
    harness.cut()
    const [held] = harness.submit(getData('/4'))
    harness.open().refuse()

    expect(fatesOf([seen, write, batched, held])).toEqual([
      'SESSION_EXPIRED unknown',
      'CONNECTION_LOSS unknown',
      'pending',
      'pending',
    ])
    const waiting = harness.session.pipeline.takeWaiting()
    expect(waiting).toEqual([batched, held])
    expect(harness.session.pipeline.held.counts).toEqual({ calls: 0, bytes: 0 })

    const successor = Harness.connected()
    for (const call of waiting) successor.session.pipeline.submit(call)
    expect(successor.turn().takeSent()).toEqual(['setData /3', 'getData /4'])
    successor.answerAll()
    expect(fatesOf([batched, held])).toEqual(['succeeded', 'succeeded'])
  })

  test('keeps the deadlines of calls that wait for a successor', () => {
    const harness = Harness.connected().cut()
    const [call] = harness.submit(getData('/1'))
    const deadlineMs = harness.nowMs + 30_000
    harness.open().refuse()

    const successor = new Harness()
    for (const one of harness.session.pipeline.takeWaiting()) successor.session.pipeline.submit(one)
    successor.nowMs = deadlineMs
    successor.session.handleDeadline(deadlineMs)
    expect(call.fate).toBe('TIMEOUT not-applied')
  })

  test('tells one-shot watchers that they will not hear more, and leaves the persistent', () => {
    const harness = Harness.connected()
    const events: string[] = []
    const note = (table: string) => (event: { type: string; path: string }) => {
      events.push(`${table}: ${event.type} ${event.path}`)
    }
    for (const table of ['data', 'exist', 'child', 'persistent', 'recursive'] as const) {
      harness.watches.add(table, '/a', note(table))
    }
    harness.cut().open().refuse()
    expect(events).toEqual([
      'data: session-expired /a',
      'exist: session-expired /a',
      'child: session-expired /a',
    ])
    expect(harness.watches.size).toBe(2)
  })
})
