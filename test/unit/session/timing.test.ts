import { describe, expect, test } from 'vitest'
import { dialPauseMs, timingOf } from '../../../src/session/timing.ts'

describe('timing', () => {
  test.each([
    // timeout, hosts, ping after, silent after, lost after, dial within, pause at most
    [900, 1, 300, 600, 1_200, 600, 300], // not even a whole timeout is left for a slow host
    [1_500, 3, 500, 1_000, 2_000, 1_000, 500],
    [6_000, 1, 2_000, 4_000, 8_000, 2_000, 2_000], // a lone host may be asked again in time
    [6_000, 3, 2_000, 4_000, 8_000, 2_000, 2_000],
    [6_000, 50, 2_000, 4_000, 8_000, 1_000, 2_000], // a share of 120 ms would rule out slow hosts
    [18_000, 3, 6_000, 12_000, 24_000, 6_000, 6_000],
    [60_000, 5, 10_000, 40_000, 80_000, 12_000, 20_000], // a proxy forgets what is idle for longer
  ])(
    'a timeout of %i ms with %i hosts',
    (timeoutMs, hostCount, pingAfterMs, silentAfterMs, lostAfterMs, dialWithinMs, pauseMsMax) => {
      const expected = { pingAfterMs, silentAfterMs, lostAfterMs, dialWithinMs, pauseMsMax }
      expect(timingOf(timeoutMs, hostCount)).toEqual({
        ...expected,
        leaveWithinMs: pauseMsMax,
        trialMs: Math.min(silentAfterMs, 10_000),
        quietAfterMs: timeoutMs / 2,
        answerWithinMs: timeoutMs / 6,
        lateAfterMs: timeoutMs / 10,
      })
    },
  )

  test('the pause before a dial: none, then up to a ceiling that doubles up to its own', () => {
    const backoff = { msMin: 100, msMax: 1_000 }
    const ceilings = [0, 1, 2, 3, 4, 5, 6, 5_000].map((failures) => {
      return dialPauseMs(failures, 1, backoff)
    })
    expect(ceilings).toEqual([0, 100, 200, 400, 800, 1_000, 1_000, 1_000])
    expect(dialPauseMs(3, 0, backoff)).toBe(0)
    expect(dialPauseMs(3, 0.25, backoff)).toBe(100)
  })
})
