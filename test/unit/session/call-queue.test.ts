import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CallQueue } from '../../../src/session/call-queue.ts'
import { getData, type TestCall } from '../../support/test-call.ts'

describe('CallQueue', () => {
  test('agrees with an array, whatever comes in and goes out', () => {
    const step = fc.constantFrom('push', 'push', 'push', 'shift', 'drain')
    // Runs of the same step, so that the ring wraps and grows.
    const script = fc.array(fc.tuple(step, fc.integer({ min: 1, max: 20 })), { maxLength: 30 })
    fc.assert(
      fc.property(script, (steps) => {
        const queue = new CallQueue()
        let model: TestCall[] = []
        for (const [name, times] of steps) {
          for (let i = 0; i < times; i++) {
            if (name === 'push') {
              const call = getData(`/${i}`)
              queue.push(call)
              model.push(call)
            } else if (name === 'drain') {
              expect(queue.drain()).toEqual(model)
              model = []
            } else if (model.length > 0) {
              expect(queue.shift()).toBe(model.shift())
            }
          }
          expect(queue.length).toBe(model.length)
          expect([...queue]).toEqual(model)
          expect(model.map((_, i) => queue.at(i))).toEqual(model)
        }
      }),
    )
  })
})
