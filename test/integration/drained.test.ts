import { expect, test } from 'vitest'
import { isZooKeeperError } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { errorOf, openAt } from '../support/servers.ts'

const payload = Buffer.alloc(1_000)

async function withoutLink() {
  const server = await TestServer.start()
  const zk = await openAt(server.connectString, { queuedBytesMax: 10_000 })
  await zk.create('/a')
  await server.stop()
  await zk.waitFor('suspended')
  const errors: unknown[] = []
  const fill = () => {
    for (let i = 0; i < 20; i++)
      zk.setData('/a', payload).catch((error: unknown) => errors.push(error))
  }
  return { server, zk, errors, fill }
}

test('whoever waits for room before each call never meets QUEUE_FULL', async () => {
  await using server = await TestServer.start()
  const options = { queuedBytesMax: 10_000, inFlightMax: 4 }
  const zk = await openAt(server.connectString, options)
  await zk.create('/a')
  const writes: Promise<unknown>[] = []
  for (let i = 0; i < 200; i++) {
    await zk.drained()
    writes.push(zk.setData('/a', payload))
  }
  await Promise.all(writes)
  expect((await zk.exists('/a'))?.version).toBe(200)
})

test('drained() waits for a link if calls wait for one', async () => {
  const { server, zk, errors, fill } = await withoutLink()
  fill()
  const drained = zk.drained()
  await expect.poll(() => errors.length).toBeGreaterThan(0)
  expect(errors.every((error) => isZooKeeperError(error, 'QUEUE_FULL'))).toBe(true)
  await server.resume()
  await drained
  expect(zk.state).toBe('connected')
  await server.close()
})

test('drained() gives up at its timeout, at its signal, and when the client ends', async () => {
  const { server, zk, fill } = await withoutLink()
  fill()
  const signal = AbortSignal.abort('enough')
  expect(await errorOf(zk.drained({ timeout: 5 }))).toMatchObject({ code: 'TIMEOUT' })
  expect(await errorOf(zk.drained({ signal }))).toMatchObject({ code: 'ABORTED' })
  const hopeless = errorOf(zk.drained())
  await zk.close()
  expect(await hopeless).toMatchObject({ code: 'CLOSED', op: 'drained' })
  expect(await errorOf(zk.drained())).toMatchObject({ code: 'CLOSED' })
  await server.close()
})
