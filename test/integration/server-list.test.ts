import { expect, test } from 'vitest'
import { connect } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { errorOf, openAt } from '../support/servers.ts'

// The list of servers changes while the client runs. One server goes by two names here, so that the
// session is known at both; `session-ensemble.test.ts` does it with three servers.

test('a client moves off a server that is no longer listed, and keeps its session', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(`${server.connectString}/app`)
  await zk.create('/', '')
  await zk.create('/mine', '', { mode: 'ephemeral' })
  const { id } = zk.session
  const changes = zk.states()

  const written = Array.from({ length: 100 }, () => zk.setData('/mine', 'x'))
  await Promise.resolve()
  zk.updateServers(`localhost:${server.port}`)
  await Promise.all(written) // none of them is unknown
  expect((await changes.next()).value).toMatchObject({ state: 'suspended', reason: 'moved' })
  await zk.waitFor('connected')

  expect(zk.server).toBe(`localhost:${server.port}`)
  expect(zk.session.id).toBe(id)
  expect(await zk.exists('/mine')).not.toBeNull()
})

test('the list also holds for the session after the next expiry', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(`${server.connectString},127.0.0.1:1`)
  zk.updateServers(`${server.connectString}/`)
  await server.expire(zk.session.id)
  await zk.waitFor('expired')
  await zk.waitFor('connected')
  expect(zk.server).toBe(server.connectString)
})

test.each([
  ['another chroot', '127.0.0.1:1/other', 'BAD_ARGUMENTS', 'the chroot is /app'],
  ['TLS', 'zks://127.0.0.1:1', 'BAD_ARGUMENTS', 'does not use TLS'],
  ['nothing', '', 'BAD_CONNECT_STRING', 'names no host'],
  ['a host that a password must not be sent to', 'zk.test:2181', 'BAD_ARGUMENTS', 'clear text'],
])('%s is refused at once, and changes nothing', async (_, connectString, code, detail) => {
  await using server = await TestServer.start()
  const auth = [{ scheme: 'digest', auth: 'user:password' }]
  const zk = await openAt(`${server.connectString}/app`, { auth })
  expect(() => {
    zk.updateServers(connectString)
  }).toThrow(expect.objectContaining({ code, detail: expect.stringContaining(detail) }))
  expect(zk.server).toBe(server.connectString)
})

test('a client that has ended takes no list', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  await zk.close()
  const update = async () => {
    zk.updateServers(server.connectString)
  }
  expect(await errorOf(update())).toMatchObject({ code: 'CLOSED', op: 'updateServers' })
})

test('R20: a name that cannot be resolved and a host that refuses do not stop the others', async () => {
  await using server = await TestServer.start()
  const lookup = async (name: string) => {
    if (name === 'gone.test') throw new Error('ENOTFOUND')
    return ['::ffff:192.0.2.1', '127.0.0.1'] // the first cannot be reached from here
  }
  const options = { lookup, sessionTimeout: 6_000 }
  const zk = await connect(`gone.test,127.0.0.1:1,up.test:${server.port}`, options)
  expect(zk.server).toBe(`up.test:${server.port}`)
  await zk.close()
})
