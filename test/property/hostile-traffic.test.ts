import { expect, test } from 'vitest'
import { fuzz } from '../fuzz/hostile-traffic.ts'

// A slice of `npm run test:fuzz`, another one each time; the seed is in the message of a failure.

test('A25: damaged traffic breaks nothing but its connection', { timeout: 60_000 }, () => {
  const seed = Date.now() % 2 ** 20
  const before = process.memoryUsage().heapUsed
  const { failure, refused, slowestMs } = fuzz({ seed, from: 0, inputs: 8_192 })
  const command = `npm run test:fuzz -- --seed ${seed} --from ${failure?.input} --inputs 1`
  expect(failure, command).toBeNull()
  expect(refused).toBeGreaterThan(1_000) // else the damage was no damage
  // Bounds that a machine under load keeps, and a loop that runs away does not.
  expect(slowestMs).toBeLessThan(2_000)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(256 * 2 ** 20)
})
