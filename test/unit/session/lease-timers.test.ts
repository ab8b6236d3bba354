import { describe, expect, test } from 'vitest'
import { LeaseTimers } from '../../../src/session/lease-timers.ts'
import { FakeRuntime } from '../../support/fake-runtime.ts'

function leasing() {
  const runtime = new FakeRuntime()
  /** How long the machine has slept. */
  const slept = { ms: 0 }
  const fired: string[] = []
  const leases = new LeaseTimers({
    nowMs: () => runtime.nowMs(),
    uptimeMs: () => runtime.nowMs() + slept.ms,
    timer: (atMs, fire) => runtime.timer(atMs, fire),
  })
  const add = (name: string, inMs: number) => {
    return leases.add(runtime.nowMs() + slept.ms + inMs, () => fired.push(name))
  }
  return { runtime, slept, fired, leases, add }
}

describe('LeaseTimers', () => {
  test('fire by themselves when it is time, and once', async () => {
    const { runtime, fired, leases, add } = leasing()
    add('a', 100)
    await runtime.advance(99)
    expect(fired).toEqual([])
    await runtime.advance(1)
    leases.settle()
    expect(fired).toEqual(['a'])
    expect(runtime.timersAtMs).toEqual([])
  })

  test('that are due fire when they are settled, though no timer could fire yet', async () => {
    const { runtime, fired, leases, add } = leasing()
    add('a', 100)
    add('b', 200)
    add('c', 300)
    leases.settle()
    expect(fired).toEqual([])
    runtime.block(200)
    leases.settle()
    leases.settle()
    expect(fired).toEqual(['a', 'b'])
    await runtime.advance(100)
    expect(fired).toEqual(['a', 'b', 'c'])
  })

  test('that were cancelled do not fire, not even by one that fires before', () => {
    const { runtime, fired, leases, add } = leasing()
    leases.add(runtime.nowMs() + 50, () => other.cancel())
    const other = add('other', 60)
    add('cancelled', 10).cancel()
    runtime.block(100)
    leases.settle()
    expect(fired).toEqual([])
    expect(runtime.timersAtMs).toEqual([])
  })

  test('count the time that the machine sleeps', () => {
    const { slept, fired, leases, add } = leasing()
    add('a', 100)
    slept.ms += 100
    leases.settle()
    expect(fired).toEqual(['a'])
  })

  // Timers are rounded, and clocks differ: whoever fires early would end a lease that is held.
  test('wait on if they were woken too early', async () => {
    const { runtime, slept, fired, add } = leasing()
    add('a', 100)
    slept.ms -= 30
    await runtime.advance(100)
    expect(fired).toEqual([])
    await runtime.advance(30)
    expect(fired).toEqual(['a'])
  })
})
