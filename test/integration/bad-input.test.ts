import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/index.ts'
import { freePort } from '../support/free-port.ts'
import { errorOf } from '../support/servers.ts'

// Whatever is wrong with what we are given, the caller learns what, and within the deadline.

test.each([
  '',
  ' , ',
  'host:0',
  'host:port',
  'a:b:c',
  'ftp://host',
  '[::1',
  'host/a//b',
  'host/a/',
])('R71: the connect string "%s" is refused', async (connectString) => {
  const error = await errorOf(connect(connectString))
  expect(error).toMatchObject({ code: expect.stringMatching(/^BAD_/) as string })
})

test.each([
  { sessionTimeout: 0 },
  { sessionTimeout: -1 },
  { sessionTimeout: NaN },
  { sessionTimeout: Infinity },
  { requestTimeout: '5' as unknown as number },
  { inFlightMax: 0 },
])('the option %o is refused', async (options) => {
  expect(await errorOf(connect('localhost', options))).toMatchObject({ code: 'BAD_ARGUMENTS' })
})

test('R8: a host that does not exist', async () => {
  const error = await errorOf(connect('zookeeper.invalid', { connectTimeout: 500 }))
  expect(error).toMatchObject({ code: 'TIMEOUT', op: 'connect' })
  expect((error as Error).cause).toMatchObject({ syscall: 'getaddrinfo' })
})

test('R8: a port where nobody listens', async () => {
  const error = await errorOf(connect(`127.0.0.1:${await freePort()}`, { connectTimeout: 300 }))
  expect(error).toMatchObject({ code: 'TIMEOUT' })
  expect((error as Error).cause).toMatchObject({ code: 'ECONNREFUSED' })
})

test('R8: connect() rejects at its deadline, and tells of every host that it tried', async () => {
  const ports = [await freePort(), await freePort()] as const
  const hosts = `127.0.0.1:${ports[0]},127.0.0.1:${ports[1]},zookeeper.invalid`
  const options = { connectTimeout: 1_000, backoff: { msMin: 1, msMax: 20 } }
  const startedMs = performance.now()
  const error = await errorOf(connect(hosts, options))
  const tookMs = performance.now() - startedMs
  expect(error).toMatchObject({ code: 'TIMEOUT', op: 'connect' })
  const { errors } = (error as Error).cause as AggregateError
  const told = errors.map((one: NodeJS.ErrnoException & { port?: number }) => [one.code, one.port])
  expect(told).toContainEqual(['ECONNREFUSED', ports[0]])
  expect(told).toContainEqual(['ECONNREFUSED', ports[1]])
  expect(told).toHaveLength(3)
  expect(String(error)).toContain('zookeeper.invalid:2181: getaddrinfo')
  expect(tookMs).toBeGreaterThan(990)
  expect(tookMs).toBeLessThan(5_000) // 1,200 on a machine that has the time
})

test('a server that accepts and never answers', async () => {
  const port = await listen(() => undefined)
  const error = await errorOf(connect(`127.0.0.1:${port}`, { connectTimeout: 300 }))
  expect(error).toMatchObject({ code: 'TIMEOUT', name: 'TimeoutError' })
})

test('a server that hangs up at once', async () => {
  const port = await listen((socket) => socket.end())
  const error = await errorOf(connect(`127.0.0.1:${port}`, { connectTimeout: 300 }))
  expect(error).toMatchObject({ code: 'TIMEOUT' })
  expect((error as Error).cause).toMatchObject({ code: 'CONNECTION_LOSS' })
  expect((error as Error).message).toMatch(/may have too many connections/)
})

test('a server that speaks something else', async () => {
  const port = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const error = await errorOf(connect(`127.0.0.1:${port}`, { connectTimeout: 300 }))
  expect(error).toMatchObject({ code: 'TIMEOUT' })
  expect((error as Error).cause).toMatchObject({ code: 'PROTOCOL_ERROR' })
})

test('R20: the good one among bad hosts is found', async () => {
  const { TestServer } = await import('../../src/testing/index.ts')
  await using server = await TestServer.start()
  const silent = await listen(() => undefined)
  const hosts = `zookeeper.invalid,127.0.0.1:${silent},127.0.0.1:${await freePort()}`
  const zk = await connect(`${hosts},${server.connectString}`, { sessionTimeout: 6_000 })
  expect(zk.server).toBe(server.connectString)
  await zk.close()
})

test('an abort while connecting', async () => {
  const port = await listen(() => undefined)
  const abort = new AbortController()
  const connecting = errorOf(connect(`127.0.0.1:${port}`, { signal: abort.signal }))
  abort.abort('enough')
  expect(await connecting).toMatchObject({ code: 'ABORTED', cause: 'enough' })
})

/** A TCP server that treats every connection alike. */
async function listen(handle: (socket: Socket) => unknown): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    handle(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
