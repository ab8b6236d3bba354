import { expect, test } from 'vitest'
import { simulate } from './scenario.ts'
import { runCommand } from '../support/run-command.ts'

// A slice of `npm run test:simulate`. It runs in a process of its own, where nothing but the world may
// be waited for, and where a rejection that nobody handles is seen.

const run = (...args: string[]) =>
  runCommand(process.execPath, ['--import', 'tsx', 'test/simulation/run.ts', ...args])

test('simulation: 60 runs under faults break no promise', { timeout: 120_000 }, async () => {
  await run('--seeds', '60')
})

test('simulation: the same seed gives the same run', { timeout: 120_000 }, async () => {
  await run('--seeds', '5', '--from', '1000', '--twice')
})

test('simulation: another seed gives another run', async () => {
  const [one, other] = [await simulate(1), await simulate(2)]
  expect(one.digest).not.toBe(other.digest)
})

// `npm run test:simulate -- --seeds 1 --watches 100000` is the long one.
test('R53: watches are told once what they are owed, and the server watches no more', async () => {
  await run('--seeds', '4', '--from', '4', '--watches', '3000')
})

test('simulation: a run has its faults, its operations and an expiry', async () => {
  const { faults, operations, leases, outcomes } = await simulate(7)
  const struck = Object.values(faults).reduce((sum, count) => sum + count, 0)
  expect(struck).toBeGreaterThanOrEqual(20)
  expect(operations).toBeGreaterThanOrEqual(200)
  expect(faults['expire']).toBeGreaterThanOrEqual(1)
  expect(leases).toBeGreaterThanOrEqual(3)
  expect(outcomes['applied']).toBeGreaterThan(100)
})
