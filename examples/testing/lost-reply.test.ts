import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect, type ZooKeeper } from 'zoowire'
import { Lock } from 'zoowire/recipes'
import { TestServer } from 'zoowire/testing'

let server: TestServer
let zk: ZooKeeper

beforeEach(async () => {
  server = await TestServer.start({ tree: { '/locks/reindex': '' } })
  zk = await connect(server.connectString)
})

afterEach(async () => {
  await zk.close()
  await server.close()
})

test('a lock whose create has lost its reply is held once, and leaves nothing behind', async () => {
  const fault = server.faults.add({ do: 'drop-reply', operation: 'create', path: '/locks/**' })

  const held = await new Lock(zk, '/locks/reindex').acquire()

  expect(fault.hits).toBe(1)
  expect(server.get('/locks/reindex')?.stat.numChildren).toBe(1)
  await held.release()
  expect(server.get('/locks/reindex')?.stat.numChildren).toBe(0)
})

test('a write that the server did not answer is not written twice', async () => {
  server.faults.add({ do: 'drop-reply', operation: 'setData' })

  const write = zk.setData('/locks/reindex', 'once')

  await expect(write).rejects.toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'unknown' })
  const writes = server.log.filter(({ operation, err }) => operation === 'setData' && err === 0)
  expect(writes).toHaveLength(1)
})
