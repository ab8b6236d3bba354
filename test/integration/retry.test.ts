import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connect, type ConnectOptions, type RetryOptions, ZooKeeper } from '../../src/index.ts'
import { nodeRuntime } from '../../src/node/runtime.ts'
import { type FaultPlan, TestServer } from '../../src/testing/index.ts'
import { errorOf } from '../support/servers.ts'

const throttled = { do: 'fail', code: 'THROTTLED_OP' } as const
const throttledReads = { ...throttled, operation: 'getData', times: Infinity } as const
const quick = { msMin: 1, msMax: 2 }

describe('a retry policy', () => {
  test('makes a read again until it is answered', async () => {
    const { zk, requests } = await open({ ...throttled, operation: 'getData', times: 2 })
    const { data } = await zk.getData('/n', { retry: { attempts: 3, backoff: quick } })
    expect(data?.toString()).toBe('x')
    expect(requests()).toEqual(['getData', 'getData', 'getData'])
  })

  test('reports the last failure when the attempts are used up', async () => {
    const { zk, requests } = await open(throttledReads)
    const error = await errorOf(zk.getData('/n', { retry: { attempts: 3, backoff: quick } }))
    expect(error).toMatchObject({ code: 'THROTTLED_OP', path: '/n', outcome: 'not-applied' })
    expect(requests()).toEqual(['getData', 'getData', 'getData'])
  })

  test('is the client’s for every call that has none of its own', async () => {
    const retry = { attempts: 2, backoff: quick }
    const throttledCalls = { ...throttledReads, operation: ['exists', 'setData'] }
    const { zk, requests } = await open(throttledCalls, { retry })
    expect(await errorOf(zk.exists('/n'))).toMatchObject({ code: 'THROTTLED_OP' })
    expect(await errorOf(zk.setData('/n', ''))).toMatchObject({ code: 'THROTTLED_OP' })
    expect(await errorOf(zk.exists('/n', { retry: false }))).toMatchObject({ code: 'THROTTLED_OP' })
    expect(requests()).toEqual(['exists', 'exists', 'setData', 'setData', 'exists'])
  })

  test('makes a transaction again as it was when it was committed', async () => {
    const { zk, requests } = await open({ ...throttled, operation: 'multi' })
    const data = Buffer.from('as it was')
    const transaction = zk.multi().setData('/n', data)
    const committing = transaction.commit({ retry: { attempts: 2, backoff: quick } })
    data.fill(0)
    await committing
    expect((await zk.getData('/n')).data?.toString()).toBe('as it was')
    expect(requests()).toEqual(['multi', 'multi', 'getData'])
  })

  test('does not repeat a write that may have happened', async () => {
    const { zk, requests } = await open({ do: 'drop-reply', operation: 'setData' })
    const error = await errorOf(zk.setData('/n', 'y', { retry: { attempts: 5, backoff: quick } }))
    expect(error).toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'unknown' })
    expect(requests()).toEqual(['setData'])
  })

  test('leaves that to idempotent, whose requests it covers as well', async () => {
    const { zk, server, requests } = await open({ do: 'drop-reply', operation: 'setData' })
    server.faults.add({ ...throttled, operation: 'getData' })
    const retry = { attempts: 5, backoff: quick }
    const stat = await zk.setData('/n', 'y', { idempotent: true, retry })
    expect(stat.version).toBe(1)
    expect(requests()).toEqual(['setData', 'sync', 'getData', 'getData'])
  })

  test('repeats what the codes name and nothing else', async () => {
    const { zk, requests } = await open(throttledReads)
    const once = { attempts: 3, backoff: quick, codes: ['NO_NODE'] as const }
    expect(await errorOf(zk.getData('/n', { retry: once }))).toMatchObject({ code: 'THROTTLED_OP' })
    expect(await errorOf(zk.delete('/no', { retry: once }))).toMatchObject({ code: 'NO_NODE' })
    expect(requests()).toEqual(['getData', 'delete', 'delete', 'delete'])
  })

  test('gives up at once when the pause would outlast the timeout', async () => {
    const { zk, requests } = await open(throttledReads, {}, 0.999)
    const retry = { attempts: Infinity, backoff: { msMin: 60_000, msMax: 60_000 } }
    expect(await errorOf(zk.getData('/n', { retry, timeout: 5_000 }))).toMatchObject({
      code: 'THROTTLED_OP',
    })
    expect(requests()).toEqual(['getData'])
  })

  test('is ended by the signal in the middle of a pause', async () => {
    const abort = new AbortController()
    const { zk, requests } = await open(throttledReads, {}, 0.999)
    const retry = { attempts: Infinity, backoff: { msMin: 10_000, msMax: 10_000 } }
    const reading = errorOf(zk.getData('/n', { retry, signal: abort.signal }))
    await zk.exists('/n')
    abort.abort('enough')
    expect(await reading).toMatchObject({ code: 'ABORTED', op: 'getData', cause: 'enough' })
    expect(requests()).toEqual(['getData', 'exists'])
  })

  test('is ended by close in the middle of a pause', async () => {
    const { zk } = await open(throttledReads, {}, 0.999)
    const retry = { attempts: Infinity, backoff: { msMin: 10_000, msMax: 10_000 } }
    const reading = errorOf(zk.getData('/n', { retry }))
    await zk.exists('/n')
    await zk.close()
    expect(await reading).toMatchObject({ code: 'CLOSED', op: 'getData', path: '/n' })
  })

  test.each<[string, RetryOptions]>([
    ['no attempts', { attempts: 0 }],
    ['half an attempt', { attempts: 1.5 }],
    ['an unknown code', { attempts: 2, codes: ['NO_SUCH' as 'NO_NODE'] }],
    ['a pause of nothing', { attempts: 2, backoff: { msMin: 0 } }],
  ])('with %s is refused, by calls and by connect', async (_, retry) => {
    const { zk, server } = await open()
    expect(await errorOf(zk.getData('/n', { retry }))).toMatchObject({ code: 'BAD_ARGUMENTS' })
    const connecting = connect(server.connectString, { retry })
    expect(await errorOf(connecting)).toMatchObject({ code: 'BAD_ARGUMENTS' })
  })

  test('R87: counts its attempts, and pauses below a ceiling that doubles', async () => {
    const { zk, server, requests, dice, pauses } = await open()
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 6 }),
        fc.record({ msMin: fc.integer({ min: 1, max: 4 }), msMax: fc.integer({ min: 1, max: 9 }) }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (attempts, failures, backoff, roll) => {
          server.faults.clear()
          if (failures > 0) server.faults.add({ ...throttled, times: failures })
          const before = requests().length
          pauses.length = 0
          dice.value = roll
          const outcome = await zk.getData('/n', { retry: { attempts, backoff } }).then(
            () => 'answered',
            () => 'refused',
          )
          expect(outcome).toBe(failures < attempts ? 'answered' : 'refused')
          const again = requests().slice(before + 1)
          expect(again).toHaveLength(Math.min(failures + 1, attempts) - 1)
          const expected = again.map((_, i) => {
            return roll * Math.min(backoff.msMax, backoff.msMin * 2 ** i)
          })
          expect(pauses).toEqual(expected.filter((ms) => ms > 0).map((ms) => expect.closeTo(ms, 6)))
        },
      ),
      { numRuns: 50 },
    )
  })
})

/** A server at which this goes wrong, and a client whose dice are loaded, in front of a znode `/n`. */
async function open(plan?: FaultPlan, options: ConnectOptions = {}, roll = 0.5) {
  const pauses: number[] = []
  const dice = { value: roll }
  const server = await TestServer.start({ tree: { '/n': 'x' } })
  onTestFinished(() => server.close())
  const runtime = nodeRuntime()
  let now = 0
  const zk = await ZooKeeper.connect(
    {
      ...runtime,
      random: () => dice.value,
      timer: (atMs, fire) => {
        const ms = atMs - now
        if (ms < 1_000) pauses.push(ms)
        return runtime.timer(atMs, fire)
      },
      nowMs: () => (now = runtime.nowMs()),
    },
    server.connectString,
    options,
  )
  onTestFinished(() => zk.close())
  const { length } = server.log
  const requests = () => server.log.slice(length).map(({ operation }) => operation)
  if (plan !== undefined) server.faults.add(plan)
  return { zk, server, requests, pauses, dice }
}
