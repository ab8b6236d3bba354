import { expect, test } from 'vitest'
import { handshake, operations } from '../../../src/protocol/index.ts'
import { TestServer } from '../../../src/testing/index.ts'
import { framed, RawClient, requestFrame, resumeRequest } from './raw-client.ts'

test('handshake: a new session gets an id, a password of 16 bytes and its timeout', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port, { timeOut: 5000 })

  expect(client.session?.timeOut).toBe(5000)
  expect(client.session?.passwd).toHaveLength(16)
  expect(client.session?.readOnly).toBe(false)
  expect(client.sessionId >> 56n).toBe(1n)
  expect(server.sessions).toEqual([
    { id: client.sessionId, timeoutMs: 5000, ephemerals: [], connected: true, outstanding: 0 },
  ])
  expect(server.lastZxid).toBe(1n)
})

test('handshake: the timeout is clamped to the limits of the server', async () => {
  const limits = { tickTime: 100, maxSessionTimeout: 3000 }
  await using server = await TestServer.start(limits)
  await using hasty = await RawClient.connect(server.port, { timeOut: 1 })
  await using patient = await RawClient.connect(server.port, { timeOut: 1_000_000 })

  expect(hasty.session?.timeOut).toBe(200)
  expect(patient.session?.timeOut).toBe(3000)
})

test('handshake: a client that leaves the read-only byte out gets none back', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port, { readOnly: null })

  expect(client.session?.readOnly).toBeNull()
  expect(client.received).toHaveLength(4 + 36)
})

test('handshake: a password of any kind will do for a new session', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port, { passwd: null })

  expect(client.session?.passwd).toHaveLength(16)
})

test('handshake: a client that saw a later zxid is closed without a word', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.dial(server.port)

  client.sendConnect({ lastZxidSeen: 1n })
  await client.closed

  expect(client.received).toHaveLength(0)
  expect(server.sessions).toHaveLength(0)
})

test('handshake: resuming moves the session to the new connection and closes the old', async () => {
  await using server = await TestServer.start()
  await using first = await RawClient.connect(server.port)
  await using second = await RawClient.connect(server.port, {
    ...resumeRequest(first),
    timeOut: 7000,
  })

  await first.closed
  expect(second.sessionId).toBe(first.sessionId)
  expect(second.session?.passwd).toEqual(first.session?.passwd)
  expect(server.sessions).toMatchObject([{ timeoutMs: 7000, connected: true }])
  expect(server.lastZxid).toBe(1n) // resuming is no transaction
})

// That is how a client finds out which of its sessions survived: it must not need a second look.
test('handshake: a wrong password is answered like an expired session, then closed', async () => {
  await using server = await TestServer.start()
  await using first = await RawClient.connect(server.port)
  await using second = await RawClient.connect(server.port, {
    ...resumeRequest(first),
    passwd: Buffer.alloc(16),
  })

  expect(second.received.toString('hex')).toBe(`00000025${'00'.repeat(19)}10${'00'.repeat(17)}`)
  await second.closed
  await first.closed // closed before the password was looked at
  expect(server.sessions).toMatchObject([{ connected: false }])
})

test('handshake: an unknown session is answered with a timeout of 0, then closed', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port, { sessionId: 12_345n })

  expect(client.session).toMatchObject({ timeOut: 0, sessionId: 0n, readOnly: false })
  await client.closed
})

test('handshake: requests sent before the answer are answered after it', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.dial(server.port)

  client.sendConnect({})
  client.request(operations.sync, { path: '/anything' })

  expect(await client.takeConnectResponse()).not.toBeNull()
  expect(await client.takeReply(operations.sync)).toMatchObject({
    xid: 1,
    zxid: 1n,
    response: { path: '/anything' },
  })
})

test('handshake: bytes may come one at a time', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.dial(server.port)
  const request = framed((writer) => {
    handshake.ConnectRequest.write(writer, {
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeOut: 1000,
      sessionId: 0n,
      passwd: Buffer.alloc(16),
      readOnly: true,
    })
  })

  for (const byte of Buffer.concat([request, requestFrame(operations.ping, undefined, -2)])) {
    await new Promise((resolve) => client.socket.write(Buffer.of(byte), resolve))
  }

  expect(await client.takeConnectResponse()).toMatchObject({ timeOut: 1000 })
  expect(await client.takeReply(operations.ping)).toMatchObject({ xid: -2, err: 0 })
})

test.each([
  ['a frame too short for a handshake', '0000000400000000'],
  ['an empty frame', '00000000'],
  ['a negative length', 'ffffffff'],
  ['a length beyond the limit', '00100000'],
])('handshake: %s costs the connection and nothing else', async (_, bytes) => {
  await using server = await TestServer.start()
  await using bystander = await RawClient.connect(server.port)
  await using client = await RawClient.dial(server.port)

  client.send(bytes)
  await client.closed

  expect(client.received).toHaveLength(0)
  expect(await bystander.call(operations.sync, { path: '/' })).toMatchObject({ err: 0 })
})

test.each([
  ['ruok', /^imok$/],
  ['isro', /^rw$/],
  ['srvr', /^Zookeeper version: 3\.9.*\nZxid: 0x0\nMode: standalone\nNode count: 5\n$/s],
  ['mntr', /^zk_version\t3\.9.*\nzk_server_state\tstandalone\n.*zk_znode_count\t5\n/s],
  ['stmk', /^stmk is not executed because it is not in the whitelist.\n$/],
])('four-letter words: %s is answered without a handshake', async (word, answer) => {
  await using server = await TestServer.start()
  await using client = await RawClient.dial(server.port)

  client.send(Buffer.from(word))
  await client.closed

  expect(client.received.toString()).toMatch(answer)
})

test('four-letter words: after the handshake they are only a length that is too large', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)
  const received = client.received.length

  client.send(Buffer.from('ruok'))
  await client.closed

  expect(client.received).toHaveLength(received)
})
