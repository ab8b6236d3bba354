import { expect, test } from 'vitest'
import { juteMaxBuffer, operations, records } from '../../../src/protocol/index.ts'
import { TestServer } from '../../../src/testing/index.ts'
import { framed, openAcl, RawClient, requestFrame } from './raw-client.ts'

const header = (xid: number, type: number) =>
  framed((writer) => records.RequestHeader.write(writer, { xid, type }))

test('requests: a body that cannot be decoded is answered -5 and spends no zxid', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)

  client.send(header(1, operations.create.code))
  const reply = await client.takeReply(operations.create)

  expect(reply).toMatchObject({ xid: 1, zxid: 1n, err: -5 })
  expect(await client.call(operations.sync, { path: '/' }, 2)).toMatchObject({ err: 0 })
})

test('requests: a multi that cannot be decoded is answered -5 and spends a zxid', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)

  client.send(header(1, operations.multi.code))

  expect(await client.takeReply(operations.multi)).toMatchObject({ zxid: 2n, err: -5 })
})

test('requests: bytes behind a body are ignored', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)
  const frame = requestFrame(operations.sync, { path: '/a' }, 1)
  frame.writeInt32BE(frame.length - 4 + 3)

  client.send(Buffer.concat([frame, Buffer.of(1, 2, 3)]))

  expect(await client.takeReply(operations.sync)).toMatchObject({ response: { path: '/a' } })
})

test('requests: a header that cannot be decoded closes the connection', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)

  client.send('0000000400000001')
  await client.closed

  expect(server.sessions).toMatchObject([{ connected: false }])
})

test('requests: the longest frame is accepted', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)
  const overhead = requestFrame(operations.setData, setRoot(0), 1).length - 4

  const reply = await client.call(operations.setData, setRoot(juteMaxBuffer - overhead))

  expect(reply.response?.stat.dataLength).toBe(juteMaxBuffer - overhead)
})

test('requests: one byte more closes the connection before the frame is complete', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)

  client.send('00100000')
  await client.closed

  expect(server.get('/')?.stat.version).toBe(0)
})

test.each([
  ['an unknown opcode', 4711],
  ['opcode 10, which no version has', 10],
  ['check outside a multi', operations.check.code],
])('requests: %s is answered -6 and closes the connection', async (_, type) => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)

  client.send(header(26, type))

  expect((await client.takeFrame())?.toString('hex')).toBe('0000001affffffffffffffff' + 'fffffffa')
  await client.closed
})

test('requests: reconfig is disabled, and spends a zxid', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)
  const nothing = { joiningServers: null, leavingServers: null, newMembers: null }

  const reply = await client.call(operations.reconfig, { ...nothing, curConfigId: -1n })

  expect(reply).toMatchObject({ err: -123, zxid: 2n })
})

test('requests: a ping is answered with the xid of pings, whatever its own', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)

  client.request(operations.ping, undefined, 77)

  expect((await client.takeFrame())?.toString('hex')).toBe('fffffffe000000000000000100000000')
})

test('requests: a server without SASL answers a token with null', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)

  const reply = await client.call(operations.sasl, { token: Buffer.alloc(0) })

  expect(reply).toMatchObject({ zxid: 0n, err: 0, response: { token: null } })
})

test('requests: a SASL token of null closes the connection', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)

  client.request(operations.sasl, { token: null })
  await client.closed
})

test('requests: a thousand in one write are answered in order', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)
  const xids = Array.from({ length: 1000 }, (_, index) => index + 1)

  client.send(Buffer.concat(xids.map((xid) => requestFrame(operations.sync, { path: '/' }, xid))))

  for (const xid of xids) expect((await client.takeReply(operations.sync)).xid).toBe(xid)
})

test('requests: failed writes spend a zxid, reads do not', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)
  const create = { path: '/a', data: null, acl: openAcl, flags: 0 }

  expect((await client.call(operations.create, create)).zxid).toBe(2n)
  expect(await client.call(operations.create, create)).toMatchObject({ zxid: 3n, err: -110 })
  expect((await client.call(operations.exists, { path: '/a', watch: false })).zxid).toBe(3n)
  expect((await client.call(operations.delete, { path: '/a', version: 0 })).zxid).toBe(4n)
})

test('requests: the log tells who asked for what, and what was answered', async () => {
  await using server = await TestServer.start({ logEntriesMax: 2 })
  await using client = await RawClient.connect(server.port)

  await client.call(operations.sync, { path: '/' })
  await client.call(operations.exists, { path: '/none', watch: false })
  await client.call(operations.delete, { path: '/none', version: -1 })

  const { sessionId } = client
  expect(server.log).toEqual([
    { sessionId, xid: 2, zxid: 1n, operation: 'exists', path: '/none', err: -101 },
    { sessionId, xid: 3, zxid: 2n, operation: 'delete', path: '/none', err: -101 },
  ])
})

function setRoot(bytes: number) {
  return { path: '/', data: Buffer.alloc(bytes), version: -1 }
}
