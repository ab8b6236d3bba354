import { expect, test } from 'vitest'
import { type State, type StateChange, States } from '../../../src/client/states.ts'

const flaps = 10_000

test('R47: after 10,000 changes a slow reader has the newest state and knows that it missed some', async () => {
  const states = new States()
  const changes = states.changes()
  for (let i = 0; i < flaps; i++) states.publish(changeTo(i % 2 === 0 ? 'connected' : 'suspended'))
  states.publish(changeTo('lost'))
  expect(states.current).toBe('lost')

  const told: StateChange[] = changes.drain()
  expect(told.length).toBeLessThan(flaps)
  expect(told.at(-1)?.reason).toBe('overflow')

  states.publish(changeTo('connected'))
  expect((await changes.next()).value).toMatchObject({ state: 'connected', reason: 'established' })
})

function changeTo(state: State): StateChange {
  return {
    state,
    previous: 'connecting',
    reason: 'established',
    sessionId: 1n,
    previousSessionId: null,
    server: null,
    cause: null,
  }
}
