import { expect, test } from 'vitest'
import { TestServer } from '../../src/testing/index.ts'
import { errorOf, openAt } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

/** Servers make znodes with a TTL only if they were told so, but containers always. */
async function expectNoTtl(connectString: string): Promise<void> {
  const zk = await openAt(connectString)
  const options = { mode: 'persistent-with-ttl', ttl: 60_000 } as const
  const alone = await errorOf(zk.create('/ttl', '', options))
  expect(alone).toMatchObject({ code: 'UNIMPLEMENTED', errno: -6, path: '/ttl' })
  expect(alone).toMatchObject({ outcome: 'not-applied' })
  expect((await zk.create('/box', '', { mode: 'container' })).path).toBe('/box')
  expect(await errorOf(zk.create('/ttl', '', options))).toMatchObject({ code: 'UNIMPLEMENTED' })
  expect(zk.state).toBe('connected')
}

test('R77: TTL on a server without extended types is a typed error [in-process server]', async () => {
  await using server = await TestServer.start({ extendedTypes: false })
  await expectNoTtl(server.connectString)
})

describeReal('R77: TTL on a server without extended types', () => {
  test('is a typed error, and costs no connection', async () => {
    const jvmProperties = { 'zookeeper.extendedTypesEnabled': false }
    await using server = await ZooKeeperServer.start({ jvmProperties })
    await expectNoTtl(server.connectString)
  })
})
