/**
 * The first seeds of `npm run test:differential`: random scripts, of which three clients must hear the
 * same from the in-process server as from Apache ZooKeeper. docs/testing-server.md tells what may differ.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Judges } from '../differential/compare.ts'
import { describeReal } from '../support/shared-zookeeper.ts'

const scripts = 200
const stepsEach = 100

describeReal('random scripts', () => {
  let judges: Judges | undefined

  beforeAll(async () => {
    judges = await Judges.start()
  })
  afterAll(async () => {
    await judges?.[Symbol.asyncDispose]()
  })

  test(
    `the in-process server tells clients what ZooKeeper tells them, ${scripts} times`,
    { timeout: 240_000 },
    async () => {
      for (let seed = 1; seed <= scripts; seed++) {
        const difference = await judges!.differenceOf(seed, stepsEach)
        expect(difference, `seed ${seed}`).toBeNull()
      }
    },
  )
})
