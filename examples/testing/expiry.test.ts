import { expect, test } from 'vitest'
import { connect } from 'zoowire'
import { ServiceRegistry } from 'zoowire/recipes'
import { TestServer } from 'zoowire/testing'

test('a service is back in the registry after its session has expired', async () => {
  const server = await TestServer.start()
  const zk = await connect(server.connectString)
  const registry = new ServiceRegistry(zk, '/services')
  await registry.register({ name: 'users', address: '10.0.0.7', port: 8897 })

  const expired = zk.session.id
  await server.expire(expired) // its ephemeral znodes are gone when this resolves
  await server.until(() => {
    return server.sessions.some(({ id, ephemerals }) => id !== expired && ephemerals.length === 1)
  })

  expect([...server.snapshot().keys()].filter((path) => path.includes('users/'))).toHaveLength(1)
  await zk.close()
  await server.close()
})
