import { describe, expect, test } from 'vitest'
import { Harness } from '../../support/session-harness.ts'
import { fatesOf, getData, setData } from '../../support/test-call.ts'

const requestTimeoutMs = 30_000

describe('an abandoned call', () => {
  test.each(['ABORTED', 'TIMEOUT'] as const)('that waits for a link is not sent: %s', (code) => {
    const harness = new Harness()
    const [gone, kept] = harness.submit(setData('/gone'), setData('/kept'))
    harness.session.abandon(gone, code)
    expect(gone.fate).toBe(`${code} not-applied`)

    harness.connect()
    expect(harness.takeSent()).toEqual(['connect', 'setData /kept'])
    harness.answer()
    expect(kept.fate).toBe('succeeded')
  })

  test('that waits for room is not sent either', () => {
    const harness = Harness.connected({ inFlightMax: 1 })
    const [, gone] = harness.submit(getData('/1'), getData('/gone'), getData('/3'))
    harness.session.abandon(gone, 'ABORTED')
    harness.turn().answer()
    expect(harness.takeSent()).toEqual(['getData /1', 'getData /3'])
  })

  test('that is encoded but not taken is not sent, while its neighbours are', () => {
    const harness = Harness.connected()
    const calls = harness.submit(getData('/1'), setData('/gone'), getData('/3'), getData('/gone'))
    harness.session.abandon(calls[1], 'ABORTED')
    harness.session.abandon(calls[3], 'ABORTED')
    expect(calls[1].fate).toBe('ABORTED not-applied')

    harness.turn()
    expect(harness.takeSent()).toEqual(['getData /1', 'getData /3'])
    harness.answer().answer()
    expect(calls[2].fate).toBe('succeeded')
  })

  // Large payloads lie beside the batch, at offsets that move when a frame before them is left out.
  test.each([0, 1, 2, 3, 4])('number %i of a batch with large payloads leaves no trace', (gone) => {
    const sizes = [40_000, 5, 17_000, 16_384, 16_385]
    const calls = sizes.map((size, i) => setData(`/${i}`, Buffer.alloc(size, i + 1)))
    const harness = Harness.connected()
    harness.submit(...calls)
    harness.session.abandon(calls[gone]!, 'ABORTED')

    const sent = harness.turn().takeFrames()
    const expected = calls.filter((_, i) => i !== gone)
    expect(sent.map(({ text }) => text)).toEqual(expected.map(({ path }) => `setData ${path}`))
    for (const [i, { request }] of sent.entries()) {
      const { data } = expected[i]!.request as { data: Buffer }
      expect(data.equals(request.data)).toBe(true)
    }
  })

  test('R37: that was written leaves its reply to keep the order', () => {
    const harness = Harness.connected()
    const [gone, kept] = harness.submit(setData('/gone'), getData('/kept'))
    harness.turn().session.abandon(gone, 'ABORTED', new Error('why'))
    expect(gone.failure).toMatchObject({
      code: 'ABORTED',
      outcome: 'unknown',
      cause: new Error('why'),
      server: 'zk1:2181',
    })

    harness.answer().answer()
    expect([gone.fate, kept.fate]).toEqual(['ABORTED unknown', 'succeeded'])
  })

  test('whose late reply cannot be decoded costs nobody anything', () => {
    const harness = Harness.connected()
    const [gone, kept] = harness.submit(setData('/gone'), getData('/kept'))
    harness.turn().session.abandon(gone, 'ABORTED')
    harness.answer({ body: null }).answer()
    expect([harness.session.state, kept.fate]).toEqual(['connected', 'succeeded'])
  })

  test('that was settled already is not told again', () => {
    const harness = Harness.connected()
    const [call] = harness.submit(getData('/a'))
    harness.turn().answer().session.abandon(call, 'ABORTED')
    expect(call.fate).toBe('succeeded')
  })

  test('gives the room it took in the queue back at once', () => {
    const harness = new Harness({ queuedBytesMax: 1_000 })
    const [gone, , refused] = harness.submit(
      setData('/a', Buffer.alloc(300)),
      setData('/b', Buffer.alloc(50)),
      setData('/c', Buffer.alloc(50)),
    )
    expect(refused.fate).toBe('QUEUE_FULL not-applied')
    harness.session.abandon(gone, 'ABORTED')
    expect(harness.submit(setData('/d', Buffer.alloc(300)))[0].fate).toBe('pending')
  })

  test('is swept out of a long queue', () => {
    const harness = new Harness()
    const calls = Array.from({ length: 1_000 }, (_, i) => getData(`/${i}`))
    harness.submit(...calls)
    for (const [i, call] of calls.entries()) {
      if (i % 10 !== 0) harness.session.abandon(call, 'ABORTED')
    }
    expect(harness.session.pipeline.held.counts.calls).toBe(100)
    harness.connect().answerAll()
    expect(calls.filter(({ fate }) => fate === 'succeeded')).toHaveLength(100)
    expect(harness.session.pipeline.held.counts).toEqual({ calls: 0, bytes: 0 })
  })

  // Nothing is in flight any more, so no reply will ever make room: it must be made here.
  test('makes room for the calls behind it, even if it was the whole batch', () => {
    const harness = Harness.connected({ inFlightMax: 1 })
    const [gone, waiting] = harness.submit(getData('/gone'), getData('/waiting'))
    harness.session.abandon(gone, 'ABORTED')
    harness.turn()
    expect(harness.takeSent()).toEqual(['getData /waiting'])
    harness.answer()
    expect(waiting.fate).toBe('succeeded')
  })

  test('that was the only one leaves nothing to write', () => {
    const harness = Harness.connected()
    const [gone] = harness.submit(setData('/gone', Buffer.alloc(50_000)))
    harness.session.abandon(gone, 'ABORTED')
    expect(harness.turn().takeSent()).toEqual([])
    harness.submit(getData('/next'))
    expect(harness.turn().takeSent()).toEqual(['getData /next'])
  })
})

describe('all calls of one owner', () => {
  test('are abandoned wherever they are, and those of others stay', () => {
    const harness = Harness.connected({ inFlightMax: 4 })
    const written = harness.submit(getData('/gone/1'), setData('/kept/1'))
    harness.turn()
    const batched = harness.submit(setData('/gone/2'), getData('/kept/2'))
    const held = harness.submit(getData('/gone/3'), getData('/kept/3'))
    harness.session.pipeline.abandonAll(({ path }) => path.startsWith('/gone'), 'CLOSED')
    expect(fatesOf([...written, ...batched, ...held])).toEqual([
      'CLOSED unknown',
      'pending',
      'CLOSED not-applied',
      'pending',
      'CLOSED not-applied',
      'pending',
    ])

    harness.turn().answerAll()
    expect(fatesOf([written[1], batched[1], held[1]])).toEqual(Array(3).fill('succeeded'))
  })
})

describe('the default timeout', () => {
  test.each([
    ['waits for a link', 'not-applied'],
    ['waits for room', 'not-applied'],
    ['waits for the socket', 'not-applied'],
    ['was written', 'unknown'],
  ])('fails a call that %s as %s', (stage, outcome) => {
    // Requests stay unanswered for longer than a session of the usual timeout would.
    const harness = new Harness({ inFlightMax: 2 })
    const call = setData('/a')
    if (stage !== 'waits for a link') harness.connect({ timeOut: 600_000 })
    if (stage === 'waits for the socket') harness.isStalled = true
    if (stage.startsWith('waits for the')) harness.submit(getData('/first'))
    if (stage === 'waits for room') harness.submit(getData('/first'), getData('/second'))
    harness.turn().submit(call)
    harness.turn().advance(requestTimeoutMs - 1)
    expect(call.fate).toBe('pending')

    harness.advance(1)
    expect(call.fate).toBe(`TIMEOUT ${outcome}`)
  })

  test('fires for the oldest call first', () => {
    const harness = new Harness().connect({ timeOut: 600_000 })
    const failed: string[] = []
    const calls = ['/1', '/2', '/3', '/4'].map((path) => getData(path))
    for (const call of calls) {
      call.onSettled = ({ path }) => failed.push(`${path} ${harness.nowMs - startMs}`)
    }
    const startMs = harness.nowMs
    for (const call of calls) {
      harness.submit(call)
      harness.turn().advance(1_000)
    }
    harness.advance(requestTimeoutMs)
    expect(failed).toEqual(['/1 30000', '/2 31000', '/3 32000', '/4 33000'])
  })

  test('fires for the calls of one turn together, in their order', () => {
    const harness = new Harness({ inFlightMax: 2 }).connect({ timeOut: 600_000 })
    const failed: string[] = []
    const calls = ['/1', '/2', '/3', '/4'].map((path) => getData(path))
    for (const call of calls) call.onSettled = ({ path }) => failed.push(path)
    harness.submit(...calls)
    harness.turn().advance(requestTimeoutMs)
    expect(failed).toEqual(['/1', '/2', '/3', '/4'])
  })

  // Reading the clock costs more than the rest of a submit.
  test('counts from the first call of a batch for all of them', () => {
    const harness = new Harness().connect({ timeOut: 600_000 })
    const calls = harness.submit(getData('/1'))
    harness.nowMs += 5
    const [later] = harness.submit(getData('/2'))
    harness.turn().advance(requestTimeoutMs - 5)
    expect(fatesOf([...calls, later])).toEqual(['TIMEOUT unknown', 'TIMEOUT unknown'])
  })

  test('is over neither for a call that brings its own nor for one behind it', () => {
    const harness = new Harness().connect({ timeOut: 600_000 })
    const [own, usual] = [getData('/own'), getData('/usual')]
    harness.session.submit(own, true)
    harness.submit(usual)
    harness.turn().advance(requestTimeoutMs)
    expect([own.fate, usual.fate]).toEqual(['pending', 'TIMEOUT unknown'])
    harness.answerAll()
    expect(own.fate).toBe('succeeded')
  })

  test('of a call that was answered wakes nobody', () => {
    const harness = new Harness().connect({ timeOut: 600_000 })
    const deadlines = () => harness.session.pipeline.deadlineMs
    expect(deadlines()).toBe(Infinity)
    harness.submit(getData('/1'))
    harness.turn()
    expect(deadlines()).toBe(harness.nowMs + requestTimeoutMs)
    harness.answer()
    expect(deadlines()).toBe(Infinity)
  })

  test('fails batched calls without a trace in what is written next', () => {
    const harness = new Harness().connect({ timeOut: 600_000 })
    const calls = harness.submit(getData('/1'), getData('/2'))
    harness.takeSent()
    harness.nowMs += requestTimeoutMs
    harness.session.handleDeadline(harness.nowMs)
    harness.submit(getData('/3'))
    harness.turn()
    expect(fatesOf(calls)).toEqual(['TIMEOUT not-applied', 'TIMEOUT not-applied'])
    expect(harness.takeSent()).toEqual(['ping', 'getData /3'])
  })
})
