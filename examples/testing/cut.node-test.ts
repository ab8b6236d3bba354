import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connect, type ZooKeeper } from 'zoowire'
import { TestServer } from 'zoowire/testing'

let server: TestServer
let zk: ZooKeeper

before(async () => {
  server = await TestServer.start({ tree: { '/config': 'v1' } })
  zk = await connect(server.connectString, { sessionTimeout: 1_000 })
})

after(async () => {
  await zk.close()
  await server.close()
})

test('a read is answered although its link is cut', async () => {
  const session = zk.session.id
  const fault = server.faults.add({ do: 'cut', bytes: 10, operation: 'getData', session })

  const { data } = await zk.getData('/config') // ten bytes of the reply, then the next connection

  assert.equal(fault.hits, 1)
  assert.equal(String(data), 'v1')
  assert.equal(zk.session.id, session)
})

test('a link that has gone silent is given up, and the session goes on', async () => {
  const session = zk.session.id
  server.faults.add({ do: 'silence', operation: 'getData', session })

  const { data } = await zk.getData('/config') // after two thirds of the session timeout

  assert.equal(String(data), 'v1')
  assert.equal(zk.session.id, session)
})
