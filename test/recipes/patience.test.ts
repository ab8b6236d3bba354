import { expect, test } from 'vitest'
import { ZooKeeperError } from '../../src/index.ts'
import { insist } from '../../src/recipes/patience.ts'
import { TestServer } from '../../src/testing/index.ts'
import { openAt } from '../support/servers.ts'

test('clean-up that finds the queue full lets others get a turn', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  let isFull = true
  setImmediate(() => (isFull = false))
  let attempts = 0
  await insist(zk, async () => {
    attempts++
    if (isFull) throw new ZooKeeperError('QUEUE_FULL')
  })
  expect(attempts).toBe(2)
})
