import { expect, onTestFinished, test } from 'vitest'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { fourLetterWords } from '../../src/index.ts'
import { freePort } from '../support/free-port.ts'
import { describeServers, errorOf, open } from '../support/servers.ts'

describeServers('four-letter words', (server) => {
  test('tell of the server', async () => {
    const zk = await open(server)
    const { stat } = await zk.create('/a')
    const report = await fourLetterWords.srvr(server.connectString)
    expect(report).toMatchObject({ mode: 'standalone', outstanding: 0 })
    expect(report.version).toMatch(/^\d+\.\d+\.\d+$/)
    expect(report.zxid).toBeGreaterThanOrEqual(stat.czxid)
    expect(report.nodeCount).toBeGreaterThan(4)
    expect(report.connections).toBeGreaterThan(0)
    expect(await fourLetterWords.ruok(server.connectString)).toBe(true)
    expect(await fourLetterWords.isro(server.connectString)).toBe('rw')
  })

  test('tell of its connections', async () => {
    const zk = await open(server)
    await zk.create('/a')
    const connections = await fourLetterWords.cons(server.connectString)
    const { session } = connections.find((one) => one.session?.id === zk.session.id) ?? {}
    expect(session).toMatchObject({ timeoutMs: zk.session.timeout, lastOperation: 'CREA' })
    expect(Math.abs(Date.now() - session!.establishedMs)).toBeLessThan(10_000)
    const { clients, mode } = await fourLetterWords.stat(server.connectString)
    expect(mode).toBe('standalone')
    const addresses = clients.map(({ address }) => address)
    expect(addresses).toContain(connections.find((one) => one.session === session)?.address)
  })

  test('tell of its configuration and its figures', async () => {
    const conf = await fourLetterWords.conf(server.connectString)
    expect(Number(conf.get('maxSessionTimeout'))).toBe(60_000)
    const mntr = await fourLetterWords.mntr(server.connectString)
    expect(mntr.get('zk_server_state')).toBe('standalone')
    expect(mntr.get('zk_znode_count')).toBeGreaterThan(3)
  })

  test('tell of its watches', async () => {
    const zk = await open(server)
    await zk.exists('/a', { watch: () => undefined })
    const { connections, paths, watches } = await fourLetterWords.wchs(server.connectString)
    expect(connections).toBeGreaterThan(0)
    expect(paths).toBeGreaterThan(0)
    expect(watches).toBeGreaterThanOrEqual(paths)
  })
})

/** `host:port` of a server that does what `serve` does to each connection. */
async function serverOf(serve: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = []
  const listener = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    listener.close()
  })
  return `127.0.0.1:${(listener.address() as AddressInfo).port}`
}

const answering = (text: string) =>
  serverOf((socket) => socket.once('data', () => socket.end(text)))

test.each([
  ['a word that is not allowed', 'srvr is not executed because …', 'NOT_ALLOWED'],
  ['no quorum', 'This ZooKeeper instance is not currently serving requests\n', 'NOT_SERVING'],
  ['nothing', '', 'PROTOCOL_ERROR'],
  ['another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'PROTOCOL_ERROR'],
])('an answer of %s is an error that names word and server', async (_, text, code) => {
  const server = await answering(text)
  const error = await errorOf(fourLetterWords.srvr(server))
  expect(error).toMatchObject({ code, op: 'srvr', server, outcome: 'not-applied' })
})

test('an answer in pieces is one', async () => {
  const server = await serverOf((socket) => {
    socket.setNoDelay(true)
    socket.once('data', () => {
      socket.write('im', () => setImmediate(() => socket.end('ok')))
    })
  })
  expect(await fourLetterWords.ruok(server)).toBe(true)
})

test('a server that says nothing costs the timeout', async () => {
  const server = await serverOf(() => {})
  const error = await errorOf(fourLetterWords.ruok(server, { timeout: 50 }))
  expect(error).toMatchObject({ name: 'TimeoutError', code: 'TIMEOUT', op: 'ruok', server })
})

test('a signal ends it, before and after it began', async () => {
  const abort = new AbortController()
  const server = await serverOf(() => abort.abort('enough'))
  const error = await errorOf(fourLetterWords.ruok(server, { signal: abort.signal }))
  expect(error).toMatchObject({ name: 'AbortError', code: 'ABORTED', cause: 'enough' })
  const again = await errorOf(fourLetterWords.ruok(server, { signal: abort.signal }))
  expect(again).toMatchObject({ code: 'ABORTED' })
})

test('an endless answer is given up', async () => {
  const server = await serverOf((socket) => {
    const pour = () => {
      while (socket.write(Buffer.alloc(65_536))) continue
    }
    socket.on('drain', pour)
    pour()
  })
  const error = await errorOf(fourLetterWords.cons(server, { answerBytesMax: 100_000 }))
  expect(error).toMatchObject({ code: 'REPLY_TOO_LARGE' })
})

test('a connection that is refused or reset says so', async () => {
  const refused = await errorOf(fourLetterWords.ruok(`127.0.0.1:${await freePort()}`))
  expect(refused).toMatchObject({ code: 'CONNECTION_LOSS', cause: { code: 'ECONNREFUSED' } })
  const server = await serverOf((socket) => socket.resetAndDestroy())
  expect(await errorOf(fourLetterWords.ruok(server))).toMatchObject({
    code: 'CONNECTION_LOSS',
    cause: { code: 'ECONNRESET' },
  })
})

test('further addresses of the name are tried', async () => {
  const server = await answering('imok')
  const port = server.split(':')[1]!
  const lookup = () => Promise.resolve(['127.0.0.2', '127.0.0.1'])
  expect(await fourLetterWords.ruok(`somewhere:${port}`, { lookup })).toBe(true)
  const nowhere = await errorOf(
    fourLetterWords.ruok(`nowhere:${port}`, {
      lookup: () => Promise.reject(new Error('no such name')),
    }),
  )
  expect(nowhere).toMatchObject({ code: 'CONNECTION_LOSS', cause: new Error('no such name') })
})

test.each([
  ['two servers', 'a:1,b:2', {}, 'BAD_ARGUMENTS'],
  ['a chroot', 'a:1/b', {}, 'BAD_ARGUMENTS'],
  ['no server', '', {}, 'BAD_CONNECT_STRING'],
  ['a timeout of nothing', 'a:1', { timeout: 0 }, 'BAD_ARGUMENTS'],
  ['a limit of nothing', 'a:1', { answerBytesMax: 0 }, 'BAD_ARGUMENTS'],
  ['TLS that is no options', 'a:1', { tls: 'yes' as never }, 'BAD_ARGUMENTS'],
])('%s is refused', async (_, server, options, code) => {
  expect(await errorOf(fourLetterWords.ruok(server, options))).toMatchObject({ code })
})
