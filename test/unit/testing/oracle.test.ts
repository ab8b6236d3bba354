import { expect, test } from 'vitest'
import { operations } from '../../../src/protocol/index.ts'
import { TestServer } from '../../../src/testing/index.ts'
import { fourLetterWord } from '../../support/four-letter-word.ts'
import { ManualClock } from './manual-clock.ts'
import { openAcl, RawClient } from './raw-client.ts'

const { create2, delete: remove, exists, getData, multi, multiRead } = operations
const create = (path: string) => ({ path, data: Buffer.from('x'), acl: openAcl, flags: 0 })

test('log: a multi tells its parts, and what became of each', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)
  const part = (path: string) => ({ type: create2.code, request: create(path) })
  const removal = { type: remove.code, request: { path: '/none', version: -1 } }
  await client.call(multi, [part('/a'), removal, part('/b')])
  await client.call(multiRead, [{ type: getData.code, request: { path: '/a', watch: false } }])

  expect(server.log.slice(-2).map(({ parts }) => parts)).toEqual([
    [
      { operation: 'create2', path: '/a', err: 0 },
      { operation: 'delete', path: '/none', err: -101 },
      { operation: 'create2', path: '/b', err: -2 },
    ],
    [{ operation: 'getData', path: '/a', err: -101 }],
  ])
})

test('snapshot: what clients have made, sorted', async () => {
  await using server = await TestServer.start({ tree: { '/b': 'x', '/a/c': null } })
  const data = [...server.snapshot()].map(([path, znode]) => [path, znode.data?.toString()])
  expect(data).toEqual([
    ['/a', ''],
    ['/a/c', undefined],
    ['/b', 'x'],
  ])
})

test('tree: data, ACLs and missing ancestors, with Stats as if a client had made them', async () => {
  const acl = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }]
  const tree = { '/deep/er/z': { data: Buffer.from('z'), acl }, '/deep': 'd' }
  await using server = await TestServer.start({ tree })
  await using client = await RawClient.connect(server.port)
  const { response } = await client.call(operations.getACL, { path: '/deep/er/z' })
  expect(response?.acl).toEqual(acl)
  expect(response?.stat).toMatchObject({ czxid: 1n, version: 0, dataLength: 1 })
  expect(server.get('/deep')).toMatchObject({ stat: { numChildren: 1, cversion: 1, pzxid: 1n } })
  expect(server.get('/deep')?.data?.toString()).toBe('d')
})

test.each(['no-slash', '/a//b', '/', '/zookeeper'])('tree: %s is refused', async (path) => {
  await expect(TestServer.start({ tree: { [path]: 'x' } })).rejects.toMatchObject({
    code: 'BAD_ARGUMENTS',
  })
})

test('until: resolves when sessions, watches, connections and requests are as wanted', async () => {
  await using server = await TestServer.start()
  const opened = server.until(() => server.sessions.length === 1)
  await using client = await RawClient.connect(server.port)
  await opened
  const watched = server.until(() => server.watches.data.length === 1)
  client.request(exists, { path: '/a', watch: true })
  await watched
  const cut = server.until(() => server.sessions.every(({ connected }) => !connected))
  await client.close()
  await cut
  const expired = server.until(() => server.sessions.length === 0)
  await server.expire(server.sessions[0]!.id)
  await expired
})

test('until: what is true already is not waited for', async () => {
  await using server = await TestServer.start()
  await server.until(() => true)
})

test('until: gives up at its timeout, with its signal, with the server, and with the question', async () => {
  const clock = new ManualClock()
  const server = await TestServer.start({ clock })
  const controller = new AbortController()
  const { signal } = controller
  const never = () => false
  const waits = [
    server.until(never, { timeout: 50 }),
    server.until(never, { signal }),
    server.until(() => {
      throw new RangeError('mine')
    }),
    server.until(never),
  ].map((wait) => wait.catch((error: unknown) => error))
  controller.abort('enough')
  clock.advance(50)
  await server.close()
  expect(await Promise.all(waits)).toMatchObject([
    { code: 'TIMEOUT', detail: 'it has not come true within 50 ms: () => false' },
    { code: 'ABORTED', cause: 'enough' },
    { message: 'mine' },
    { code: 'CLOSED' },
  ])
  expect(clock.timerCount).toBe(0)
  await expect(server.until(never, { signal })).rejects.toMatchObject({ code: 'ABORTED' })
})

test('two hundred servers start, serve and end side by side', async () => {
  const servers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => TestServer.start({ tree: { '/n': String(i) } })),
  )
  const ask = async (server: TestServer) => {
    await using client = await RawClient.connect(server.port)
    const { response } = await client.call(getData, { path: '/n', watch: false })
    return response?.data?.toString()
  }
  const answers = await Promise.all(servers.map(ask))
  await Promise.all(servers.map((server) => server.close()))
  expect(answers).toEqual(servers.map((_, i) => String(i)))
})

test('a server starts in well under 50 ms', async () => {
  const times: number[] = []
  for (let i = 0; i < 10; i++) {
    const beforeMs = performance.now()
    await using server = await TestServer.start()
    times.push(performance.now() - beforeMs)
    expect(server.port).toBeGreaterThan(0)
  }
  expect(Math.min(...times)).toBeLessThan(50)
})

test('outstanding: what waits for its reply, by session, and pings do not count', async () => {
  const clock = new ManualClock()
  await using server = await TestServer.start({ clock })
  await using busy = await RawClient.connect(server.port)
  await using idle = await RawClient.connect(server.port)
  const delay = server.faults.add({ do: 'delay-request', ms: 100, session: busy.sessionId })
  for (const path of ['/a', '/b', '/c']) busy.request(exists, { path, watch: false })
  busy.request(operations.ping, undefined, -2)
  await server.until(() => server.outstanding === 3)
  await delay.struck

  const countOf = ({ sessionId }: RawClient) =>
    server.sessions.find(({ id }) => id === sessionId)?.outstanding
  expect([countOf(busy), countOf(idle)]).toEqual([3, 0])
  expect(await fourLetterWord(server.port, 'srvr')).toContain('Outstanding: 3')
  clock.advance(100)
  for (let i = 0; i < 3; i++) await busy.takeReply(exists)
  expect(server.outstanding).toBe(0)
})

test('outstanding: neither a request that was refused nor one that was lost', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)
  server.faults.add({ do: 'fail', code: 'THROTTLED_OP' })
  await client.call(exists, { path: '/a', watch: false })
  expect(server.outstanding).toBe(0)
  const silence = server.faults.add({ do: 'silence', session: client.sessionId })
  client.request(exists, { path: '/a', watch: false })
  await silence.struck
  expect(server.outstanding).toBe(0)
})
