import { expect, test } from 'vitest'
import { connect } from 'zoowire'
import { TestServer } from 'zoowire/testing'

test('an ephemeral znode goes with the session that made it', async () => {
  const server = await TestServer.start({ listen: false })
  const { connectString, dial } = server
  const zk = await connect(connectString, { dial })
  await zk.create('/me', '', { mode: 'ephemeral' })

  server.cut() // the connections, in memory as by TCP; the session lives on
  await zk.exists('/me')
  expect(server.get('/me')?.stat.ephemeralOwner).toBe(zk.session.id)

  await zk.close()
  expect(server.get('/me')).toBeNull()
  await server.close()
})
