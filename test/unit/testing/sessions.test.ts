import { expect, test } from 'vitest'
import { CreateFlags, operations } from '../../../src/protocol/index.ts'
import { TestServer } from '../../../src/testing/index.ts'
import { ManualClock } from './manual-clock.ts'
import { openAcl, RawClient, resumeRequest } from './raw-client.ts'

const ephemeral = (path: string) => {
  return { path, data: null, acl: openAcl, flags: CreateFlags.ephemeral }
}

test('sessions: one expires between its timeout and a tick later, unless heard of', async () => {
  const clock = new ManualClock()
  await using server = await TestServer.start({ clock, tickTime: 200 })
  await using client = await RawClient.connect(server.port, { timeOut: 1000 })

  clock.advance(900)
  await client.call(operations.ping, undefined, -2)
  clock.advance(1000)
  expect(server.sessions).toHaveLength(1)
  clock.advance(200)

  expect(server.sessions).toHaveLength(0)
  await client.closed
})

test('sessions: expiry deletes ephemeral znodes under one zxid and tells everybody', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)
  await using witness = await RawClient.connect(server.port)
  await client.call(operations.create, ephemeral('/a'))
  await client.call(operations.create, ephemeral('/b'))
  for (const path of ['/a', '/b']) await witness.call(operations.exists, { path, watch: true })

  await server.expire(client.sessionId)

  const zxid = server.lastZxid
  expect(await witness.takeEvent()).toEqual({ type: 'NodeDeleted', path: '/a', zxid })
  expect(await witness.takeEvent()).toEqual({ type: 'NodeDeleted', path: '/b', zxid })
  expect(zxid).toBe(5n) // two sessions, two creates, one end
  expect(server.log.at(-1)).toMatchObject({ operation: 'closeSession', xid: 0 })
  await client.closed
})

test('sessions: an expired one cannot be resumed', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)

  await server.expire(client.sessionId)
  await using again = await RawClient.connect(server.port, resumeRequest(client))

  expect(again.session).toMatchObject({ timeOut: 0, sessionId: 0n })
})

test('sessions: only one that exists can be expired', async () => {
  await using server = await TestServer.start()

  await expect(server.expire(-1n)).rejects.toThrow('there is no session 0xffffffffffffffff')
})

test('sessions: closing one deletes its znodes, answers, and closes the connection', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)
  await client.call(operations.create, ephemeral('/a'))

  client.request(operations.closeSession, undefined)
  client.request(operations.sync, { path: '/never answered' })

  expect(await client.takeReply(operations.closeSession)).toMatchObject({ zxid: 3n, err: 0 })
  expect(await client.takeFrame()).toBeNull()
  expect(server.get('/a')).toBeNull()
  expect(server.sessions).toHaveLength(0)
})

test('sessions: a cut resets the link and keeps session and znodes', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)
  await using bystander = await RawClient.connect(server.port)
  await client.call(operations.create, ephemeral('/a'))
  const reset = new Promise((resolve) => client.socket.once('error', resolve))

  server.cut(client.sessionId)

  expect(await reset).toMatchObject({ code: 'ECONNRESET' })
  expect(server.sessions[0]).toMatchObject({ ephemerals: ['/a'], connected: false })
  expect(await bystander.call(operations.sync, { path: '/' })).toMatchObject({ err: 0 })

  server.cut()
  await bystander.closed
  await using again = await RawClient.connect(server.port, resumeRequest(client))
  expect(again.sessionId).toBe(client.sessionId)
})

test('sessions: a server that went away and came back still knows them', async () => {
  const clock = new ManualClock()
  await using server = await TestServer.start({ clock })
  const { port, connectString } = server
  await using client = await RawClient.connect(port, { timeOut: 1000 })
  await client.call(operations.create, ephemeral('/a'))

  await server.stop()
  await client.closed
  await expect(RawClient.dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  clock.advance(60_000) // nobody expires while nobody is there to notice
  await server.resume()

  expect(server.connectString).toBe(connectString)
  await using again = await RawClient.connect(port, { ...resumeRequest(client), timeOut: 1000 })
  expect(again.sessionId).toBe(client.sessionId)
  expect(server.get('/a')?.stat.ephemeralOwner).toBe(client.sessionId)

  clock.advance(1200)
  expect(server.get('/a')).toBeNull()
})

test('sessions: a server that came back gives each its whole timeout', async () => {
  const clock = new ManualClock()
  await using server = await TestServer.start({ clock, tickTime: 200 })
  await using _ = await RawClient.connect(server.port, { timeOut: 1000 })
  clock.advance(900)

  await server.stop()
  await server.resume()

  clock.advance(1000)
  expect(server.sessions).toHaveLength(1)
  clock.advance(200)
  expect(server.sessions).toHaveLength(0)
})

test('server: closing leaves no timer and no socket, and may be repeated', async () => {
  const clock = new ManualClock()
  const server = await TestServer.start({ clock })
  await using client = await RawClient.connect(server.port)
  await using silent = await RawClient.dial(server.port)
  const container = { ...ephemeral('/c'), flags: CreateFlags.container }
  await client.call(operations.createContainer, container)

  await server.close()
  await server.close()

  await client.closed
  await silent.closed
  expect(clock.timerCount).toBe(0)
  await expect(server.resume()).rejects.toThrow('the server is closed')
})

test('server: a port that is taken is an error of start', async () => {
  await using server = await TestServer.start()

  await expect(TestServer.start({ port: server.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})
