import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Stat } from '../../src/protocol/records.ts'
import { Harness, type SentFrame } from '../support/session-harness.ts'
import { getData, removeWatches, setData, type TestCall } from '../support/test-call.ts'

// Whatever the application, the network and the server do, and in whatever order: each call is
// settled once, by its own reply or by a failure that tells the truth about the server. Calls are told
// apart by their paths, which are numbered in call order.

const kinds = ['read', 'write', 'connection'] as const
type Kind = (typeof kinds)[number]

type Step =
  | { readonly do: 'submit'; readonly kind: Kind; readonly size: number }
  | { readonly do: 'abandon'; readonly nth: number }
  | { readonly do: 'answer'; readonly err: number; readonly size: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'turn' | 'answerAll' | 'cut' | 'garble' | 'connect' | 'refuse' }
  | { readonly do: 'stall' | 'flush' | 'connectReadOnly' | 'connectElsewhere' }
  | { readonly do: 'updateHosts'; readonly names: readonly string[] }
  | { readonly do: 'answerProbe'; readonly isWritable: boolean }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      kind: fc.constantFrom(...kinds),
      size: fc.constantFrom(0, 10, 10, 3_000, 20_000, 150_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abandon' as const), nth: fc.nat(30) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      err: fc.constantFrom(0, 0, 0, -101, -4711),
      size: fc.constantFrom(0, 0, 5_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      ms: fc.constantFrom(0, 1, 500, 5_000, 9_000, 40_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('updateHosts' as const),
      names: fc.uniqueArray(fc.constantFrom('zk1', 'zk2', 'zk3', 'zk4'), { minLength: 1 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('answerProbe' as const), isWritable: fc.boolean() }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...([
          'connectReadOnly',
          'connectElsewhere',
          'turn',
          'turn',
          'answerAll',
          'cut',
          'connect',
          'connect',
          'connect',
        ] as const),
        ...(['garble', 'refuse', 'stall', 'flush', 'flush'] as const),
      ),
    }),
  },
)

const limits = fc.record({
  inFlightMax: fc.constantFrom(1, 2, 8_192),
  queuedBytesMax: fc.constantFrom(2_000, 100_000_000),
  frameInBytesMax: fc.constantFrom(4_000, 4_000_000),
  readOnly: fc.boolean(),
})

describe('a session, whatever happens', () => {
  test('settles every call once, and tells the truth', () => {
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 60, size: 'max' }), (options, steps) => {
        const world = new World(options)
        for (const one of steps) world.perform(one)
        world.end()
        for (const call of world.calls) world.check(call)
      }),
      { numRuns: 300 },
    )
  })
})

class World {
  readonly calls: TestCall[] = []
  /** The number of times that servers got the request of a path. */
  readonly #seen = new Map<string, number>()
  readonly #options: ConstructorParameters<typeof Harness>[0]
  #harness: Harness
  /** The number of the last request on this connection. */
  #last = -1

  constructor(options: ConstructorParameters<typeof Harness>[0]) {
    this.#options = options
    this.#harness = new Harness(options)
  }

  perform(step: Step): void {
    const harness = this.#harness
    if (step.do === 'submit') this.#submit(step.kind, step.size)
    else if (step.do === 'abandon') this.#abandon(step.nth)
    else if (step.do === 'answer') this.#answer(step.err, step.size)
    else if (step.do === 'advance') harness.advance(step.ms)
    else if (step.do === 'turn') harness.turn()
    else if (step.do === 'answerAll') while (harness.due !== undefined) this.#answer(0, 0)
    else if (step.do === 'cut' && harness.link !== 'none') harness.cut(new Error('cut'))
    else if (step.do === 'garble') harness.reply(4_711)
    else if (step.do === 'stall') harness.isStalled = true
    else if (step.do === 'flush') harness.flush()
    else if (step.do === 'updateHosts') {
      harness.session.updateHosts(
        harness.nowMs,
        step.names.map((name) => ({ name, port: 2181 })),
      )
    } else if (step.do === 'answerProbe') {
      if (harness.probes.length > 0) harness.answerProbe(step.isWritable)
    } else if (isHandshake(step.do)) this.#shakeHands(step.do)
    this.#look()
  }

  end(): void {
    this.#harness.close().advance(2_000)
    this.#look()
    expect(this.#harness.session.nextDeadlineMs).toBe(Infinity)
  }

  check({ path, operation, fate, failure, response, settlements }: TestCall): void {
    expect(settlements).toBe(1)
    const timesSeen = this.#seen.get(path) ?? 0
    if (operation.effect !== 'read') expect(timesSeen).toBeLessThanOrEqual(1)
    if (fate === 'succeeded') {
      expect(timesSeen).toBeGreaterThan(0)
      if (operation.name === 'getData') expect(String((response as Answer).data).trim()).toBe(path)
      if (operation.name === 'setData')
        expect((response as Answer).stat.version).toBe(numberOf(path))
    } else {
      const isAnswered = failure?.errno !== undefined || failure?.code === 'REPLY_TOO_LARGE'
      const isSeen = isAnswered || failure?.outcome === 'unknown'
      expect([fate, timesSeen > 0]).toEqual([fate, isSeen])
    }
  }

  #submit(kind: Kind, size: number): void {
    const path = `/${this.calls.length}`
    const call = {
      read: () => getData(path),
      write: () => setData(path, Buffer.alloc(size)),
      connection: () => removeWatches(path),
    }[kind]()
    this.calls.push(call)
    this.#harness.submit(call)
  }

  #abandon(nth: number): void {
    const call = this.calls.at(-1 - nth)
    if (call !== undefined) this.#harness.session.abandon(call, 'ABORTED')
  }

  /** The answer repeats the path, so that it is recognised; blanks make it as large as wished. */
  #answer(err: number, size: number): void {
    const { due } = this.#harness
    if (due === undefined) return
    const number = numberOf(due.request?.path ?? '/0')
    const stat = new Stat(0n, 0n, 0, 0, number, 0, 0, 0n, 0, 0, 0n)
    const data = Buffer.from((due.request?.path ?? '').padEnd(size))
    this.#harness.answer({ err, body: { data, stat } })
  }

  #shakeHands(way: Handshake): void {
    const harness = this.#harness
    const { state, server } = harness.session
    if (server !== null || (way === 'refuse' && state === 'connecting')) return
    if (harness.link !== 'open') harness.open()
    if (way === 'connect') harness.accept()
    else if (way === 'connectReadOnly') harness.accept({ sessionId: 7n, readOnly: true })
    else if (way === 'connectElsewhere') harness.accept({ sessionId: 8n })
    else harness.refuse()
    if (harness.session.state !== 'expired') return
    this.#look()
    this.#harness = new Harness(this.#options)
    this.#harness.nowMs = harness.nowMs
    for (const call of harness.session.pipeline.takeWaiting()) {
      this.#harness.session.pipeline.submit(call)
    }
  }

  /** What the server has got since the last look, on each connection in call order. */
  #look(): void {
    for (const { text, request } of this.#harness.takeFrames()) {
      if (text === 'connect') this.#last = -1
      if (!isNumbered(request)) continue
      expect(numberOf(request.path)).toBeGreaterThan(this.#last)
      this.#last = numberOf(request.path)
      this.#seen.set(request.path, (this.#seen.get(request.path) ?? 0) + 1)
    }
  }
}

const handshakes = ['connect', 'connectReadOnly', 'connectElsewhere', 'refuse'] as const
type Handshake = (typeof handshakes)[number]

function isHandshake(name: string): name is Handshake {
  return handshakes.some((one) => one === name)
}

interface Answer {
  readonly data: Buffer
  readonly stat: Stat
}

function isNumbered(request: SentFrame['request']): request is { readonly path: string } {
  return typeof request?.path === 'string'
}

function numberOf(path: string): number {
  return Number(path.slice(1))
}
