import fc from 'fast-check'
import { performance } from 'node:perf_hooks'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TimerHeap } from '../../../src/node/timers.ts'

const longestTimeoutMs = 0x7fff_ffff

/** The clock of the fake timers, as `performance.now()` would show it. */
const nowMs = () => Date.now()

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 50_000 })
  vi.spyOn(performance, 'now').mockImplementation(nowMs)
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('TimerHeap', () => {
  test('fires timers in the order of their times, whatever the order they came in', () => {
    const heap = new TimerHeap()
    const fired: number[] = []
    for (const ms of [30, 10, 50, 20, 40]) heap.add(nowMs() + ms, () => fired.push(ms))
    vi.advanceTimersByTime(29)
    expect(fired).toEqual([10, 20])
    vi.advanceTimersByTime(21)
    expect(fired).toEqual([10, 20, 30, 40, 50])
  })

  test('agrees with a sorted list, whatever is added and cancelled', () => {
    const plan = fc.array(fc.tuple(fc.nat({ max: 50 }), fc.boolean()), { maxLength: 60 })
    fc.assert(
      fc.property(plan, fc.nat({ max: 60 }), (items, cancelAfterMs) => {
        const heap = new TimerHeap()
        const startMs = nowMs()
        const fired: number[] = []
        const timers = items.map(([ms]) => {
          return heap.add(startMs + ms, () => fired.push(nowMs() - startMs))
        })
        vi.advanceTimersByTime(cancelAfterMs)
        for (const [i, timer] of timers.entries()) if (items[i]![1]) timer.cancel()
        vi.advanceTimersByTime(100)

        const expected = items.filter(([ms, isCancelled]) => !isCancelled || ms <= cancelAfterMs)
        expect(fired).toEqual(expected.map(([ms]) => ms).toSorted((a, b) => a - b))
        expect(vi.getTimerCount()).toBe(0)
      }),
    )
  })

  test('has one timeout, however many timers there are, and none without any', () => {
    const heap = new TimerHeap()
    const timers = Array.from({ length: 100 }, (_, i) => heap.add(nowMs() + 100 - i, () => {}))
    expect(vi.getTimerCount()).toBe(1)
    for (const timer of timers) timer.cancel()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('an earlier timer does not wait for the timeout of a later one', () => {
    const heap = new TimerHeap()
    const fired: string[] = []
    heap.add(nowMs() + 1_000, () => fired.push('late'))
    vi.advanceTimersByTime(10)
    heap.add(nowMs() + 5, () => fired.push('early'))
    vi.advanceTimersByTime(5)
    expect(fired).toEqual(['early'])
    vi.advanceTimersByTime(985)
    expect(fired).toEqual(['early', 'late'])
  })

  test('what lies in the past fires at the next turn, not at the call', () => {
    const heap = new TimerHeap()
    const fired: string[] = []
    heap.add(nowMs() - 1_000, () => fired.push('past'))
    expect(fired).toEqual([])
    vi.advanceTimersByTime(0)
    expect(fired).toEqual(['past'])
  })

  test('what never comes is no timer', () => {
    const timer = new TimerHeap().add(Infinity, () => {})
    expect(vi.getTimerCount()).toBe(0)
    timer.cancel()
    timer.cancel()
  })

  // setTimeout takes 32 bits, and fires at once for more.
  test('A22: a time beyond 24.8 days is not taken for now', () => {
    const heap = new TimerHeap()
    const fired: number[] = []
    const delayMs = 3 * longestTimeoutMs
    heap.add(nowMs() + delayMs, () => fired.push(nowMs()))
    const dueMs = nowMs() + delayMs
    vi.advanceTimersByTime(delayMs - 1)
    expect(fired).toEqual([])
    vi.advanceTimersByTime(1)
    expect(fired).toEqual([dueMs])
  })

  test('a timeout that fires too early waits once more', () => {
    const heap = new TimerHeap()
    const fired: string[] = []
    heap.add(nowMs() + 10, () => fired.push('fired'))
    // The clock may be a fraction of a millisecond behind the one that setTimeout goes by.
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs() - 0.6)
    vi.advanceTimersByTime(10)
    expect(fired).toEqual([])
    vi.advanceTimersByTime(1)
    expect(fired).toEqual(['fired'])
  })

  test('a timer may cancel another one that is due in the same turn', () => {
    const heap = new TimerHeap()
    const fired: string[] = []
    heap.add(nowMs() + 1, () => {
      fired.push('first')
      second.cancel()
    })
    const second = heap.add(nowMs() + 1, () => fired.push('second'))
    vi.advanceTimersByTime(1)
    expect(fired).toEqual(['first'])
  })

  // Readable sockets must get their turn, or a timer that asks for now again would starve them.
  test('a timer that is added while others fire waits for the next turn', () => {
    const heap = new TimerHeap()
    const turns: number[] = []
    let turn = 0
    const again = () => {
      turns.push(turn)
      if (turns.length < 3) heap.add(nowMs(), again)
    }
    heap.add(nowMs(), again)
    while (vi.getTimerCount() > 0) {
      turn++
      vi.runOnlyPendingTimers()
    }
    expect(turns).toEqual([1, 2, 3])
  })

  test('cancelling what has fired does no harm to what has not', () => {
    const heap = new TimerHeap()
    const fired: string[] = []
    const first = heap.add(nowMs() + 1, () => fired.push('first'))
    heap.add(nowMs() + 2, () => fired.push('second'))
    vi.advanceTimersByTime(1)
    first.cancel()
    first.cancel()
    vi.advanceTimersByTime(1)
    expect(fired).toEqual(['first', 'second'])
  })
})

describe('the process', () => {
  test('is kept alive by a timer that waits, and by none that was cancelled', () => {
    vi.useRealTimers()
    vi.restoreAllMocks()
    const timeouts = () => {
      return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    }
    const before = timeouts()
    const timer = new TimerHeap().add(performance.now() + 3_600_000, () => {})
    expect(timeouts()).toBe(before + 1)
    timer.cancel()
    expect(timeouts()).toBe(before)
  })
})
