import { expect, test } from 'vitest'
import { Harness } from '../../support/session-harness.ts'
import { setData } from '../../support/test-call.ts'

// Each call counts for 256 bytes and its frame; four of them are the limit here.

function full(): Harness {
  const harness = new Harness({ queuedBytesMax: 5_000 })
  harness.submit(...Array.from({ length: 4 }, () => setData('/a', Buffer.alloc(900))))
  return harness
}

function waiting({ session }: Harness) {
  const told = { count: 0 }
  const stop = session.pipeline.held.onRoom(() => told.count++)
  return { told, stop }
}

test('there is room at once while nothing waits', () => {
  expect(waiting(new Harness()).told.count).toBe(1)
})

test('whoever waits for room is told once, when the calls have left', () => {
  const harness = full()
  const { told } = waiting(harness)
  expect([harness.session.pipeline.held.isRoomy, told.count]).toEqual([false, 0])
  harness.connect()
  expect([harness.session.pipeline.held.isRoomy, told.count]).toEqual([true, 1])
  harness.answerAll()
  expect(told.count).toBe(1)
})

test('calls that time out make room', () => {
  const harness = full()
  const { told } = waiting(harness)
  harness.advance(29_999)
  expect(told.count).toBe(0)
  harness.advance(1)
  expect(told.count).toBe(1)
})

test('the end of the session makes room', () => {
  const harness = full()
  const { told } = waiting(harness)
  harness.close()
  expect(told.count).toBe(1)
})

test('whoever waits no more is not told', () => {
  const harness = full()
  const { told, stop } = waiting(harness)
  stop()
  harness.connect()
  expect(told.count).toBe(0)
})
