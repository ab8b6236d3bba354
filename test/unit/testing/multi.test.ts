import { expect, test } from 'vitest'
import { type Operation, operations } from '../../../src/protocol/index.ts'
import { TestServer } from '../../../src/testing/index.ts'
import { ManualClock } from './manual-clock.ts'
import { openAcl, RawClient } from './raw-client.ts'

const create = (path: string, flags = 0, data: Buffer | null = null) => {
  return { path, data, acl: openAcl, flags }
}
const part = <Q>({ code }: Operation<Q>, request: Q) => ({ type: code, request })

async function connected() {
  const server = await TestServer.start({ clock: new ManualClock() })
  return { server, client: await RawClient.connect(server.port) }
}

test('multi: success answers every operation, and all share one zxid', async () => {
  const { server, client } = await connected()
  await using _ = server
  await client.call(operations.create, create('/a', 0, Buffer.from('hello')))
  await client.call(operations.create2, create('/b'))

  const reply = await client.call(
    operations.multi,
    [
      part(operations.check, { path: '/a', version: 0 }),
      part(operations.create2, create('/a/m', 0, Buffer.from('m'))),
      part(operations.setData, { path: '/a', data: Buffer.from('v1'), version: 0 }),
      part(operations.delete, { path: '/b', version: -1 }),
    ],
    15,
  )

  const time = '0000018bcfe56800'
  const stats = {
    m: `00000000000000040000000000000004${time}${time}${'00'.repeat(23)}0100000000`,
    a: `00000000000000020000000000000004${time}${time}0000000100000001${'00'.repeat(12)}`,
  }
  expect(reply.bytes.toString('hex')).toBe(
    ['0000000f', '0000000000000004', '00000000'].join('') +
      '0000000d0000000000' +
      `0000000f0000000000000000042f612f6d${stats.m}0000000000000004` +
      `000000050000000000${stats.a}00000002000000010000000000000004` +
      '000000020000000000' +
      'ffffffff01ffffffff',
  )
  expect(server.get('/b')).toBeNull()
})

test('multi: failure undoes everything and says which operation it was', async () => {
  const { server, client } = await connected()
  await using _ = server
  await client.call(operations.create, create('/a'))
  const before = server.get('/')?.stat

  const reply = await client.call(
    operations.multi,
    [
      part(operations.create, create('/new')),
      part(operations.create, create('/a')),
      part(operations.create, create('/never')),
    ],
    16,
  )

  expect(reply.bytes.toString('hex')).toBe(
    '00000010' +
      '0000000000000003' +
      '00000000' +
      'ffffffff000000000000000000' +
      'ffffffff00ffffff92ffffff92' +
      'ffffffff00fffffffefffffffe' +
      'ffffffff01ffffffff',
  )
  expect(server.get('/new')).toBeNull()
  expect(server.get('/')?.stat).toEqual(before)
})

test('multi: a rollback brings back data, ACLs, deleted znodes and sequence numbers', async () => {
  const { server, client } = await connected()
  await using _ = server
  await client.call(operations.create, create('/p', 0, Buffer.from('data')))
  await client.call(operations.create, create('/p/e', 1))
  const before = server.get('/p')

  await client.call(operations.multi, [
    part(operations.setData, { path: '/p', data: null, version: 0 }),
    part(operations.delete, { path: '/p/e', version: 0 }),
    part(operations.create, create('/p/s-', 2)),
    part(operations.check, { path: '/p', version: 0 }),
  ])

  expect(server.get('/p')).toEqual(before)
  expect(server.sessions[0]?.ephemerals).toEqual(['/p/e'])
  const next = await client.call(operations.create, create('/p/s-', 2))
  expect(next.response?.path).toBe('/p/s-0000000001')
})

test('multi: each operation sees what the ones before it did', async () => {
  const { server, client } = await connected()
  await using _ = server

  const { response } = await client.call(operations.multi, [
    part(operations.create, create('/p')),
    part(operations.create, create('/p/s-', 2)),
    part(operations.create, create('/p/s-', 3)),
    part(operations.delete, { path: '/p/s-0000000000', version: -1 }),
    part(operations.createContainer, create('/p/c', 4)),
    part(operations.create, create('/p/d', 4)),
    part(operations.createTTL, { ...create('/p/t', 5), ttl: 1000 }),
  ])

  const results = response?.map(({ type, response }) => [
    type,
    (response as { path: string } | undefined)?.path,
  ])
  expect(results).toEqual([
    [1, '/p'],
    [1, '/p/s-0000000000'],
    [1, '/p/s-0000000001'],
    [2, undefined],
    [15, '/p/c'],
    [15, '/p/d'],
    [15, '/p/t'],
  ])
  expect(server.get('/p')?.stat).toMatchObject({ numChildren: 4, cversion: 2 * 5 - 4 })
})

test('multi: a createTTL without flags of a TTL is a plain create', async () => {
  const { server, client } = await connected()
  await using _ = server

  const { response } = await client.call(operations.multi, [
    part(operations.createTTL, { ...create('/a'), ttl: 1000 }),
  ])

  expect(response).toMatchObject([{ type: 1, err: 0, response: { path: '/a' } }])
})

test('multi: a container with the flags of an ephemeral can have no children yet', async () => {
  const { server, client } = await connected()
  await using _ = server
  const container = part(operations.createContainer, create('/c', 1))
  const child = part(operations.create, create('/c/child'))

  const together = await client.call(operations.multi, [container, child])
  expect(together.response).toMatchObject([{ err: 0 }, { err: -108 }])

  await client.call(operations.multi, [container])
  const later = await client.call(operations.multi, [child])
  expect(later.response).toMatchObject([{ type: 1, err: 0, response: { path: '/c/child' } }])
})

test('multi: without operations it succeeds and spends a zxid', async () => {
  const { server, client } = await connected()
  await using _ = server

  expect(await client.call(operations.multi, [])).toMatchObject({ zxid: 2n, response: [] })
})

test.each([
  ['a read', [part(operations.getData, { path: '/', watch: false })]],
  ['flags nobody knows', [part(operations.create, create('/a', 9))]],
  ['flags of a TTL without one', [part(operations.create, create('/a', 5))]],
])('multi: %s makes the whole request undecodable', async (_name, parts) => {
  const { server, client } = await connected()
  await using _ = server

  const reply = await client.call(operations.multi, [
    part(operations.create, create('/x')),
    ...parts,
  ])

  expect(reply).toMatchObject({ err: -5, zxid: 2n })
  expect(reply.bytes).toHaveLength(16)
  expect(server.get('/x')).toBeNull()
})

test('multi: watches fire in the order of operations, and only after success', async () => {
  const { server, client } = await connected()
  await using _ = server
  await client.call(operations.exists, { path: '/b', watch: true })
  await client.call(operations.getChildren, { path: '/', watch: true })

  await client.call(operations.multi, [
    part(operations.create, create('/a')),
    part(operations.create, create('/b')),
    part(operations.delete, { path: '/none', version: -1 }),
  ])
  expect(client.events).toEqual([])

  await client.call(operations.multi, [
    part(operations.create, create('/a')),
    part(operations.create, create('/b')),
  ])
  expect(client.order.slice(-3)).toEqual(['NodeChildrenChanged /', 'NodeCreated /b', 'reply 4'])
})

test('multiRead: each read succeeds or fails for itself, and leaves no watch', async () => {
  const { server, client } = await connected()
  await using _ = server
  await client.call(operations.create, create('/a', 0, Buffer.from('v')))

  const reply = await client.call(operations.multiRead, [
    part(operations.getData, { path: '/a', watch: true }),
    part(operations.getChildren, { path: '/nope', watch: true }),
    part(operations.getChildren, { path: '/', watch: true }),
  ])

  expect(reply).toMatchObject({ err: 0, zxid: 2n })
  expect(reply.response).toMatchObject([
    { type: 4, err: 0, response: { data: Buffer.from('v') } },
    { type: -1, err: -101 },
    { type: 8, err: 0, response: { children: ['zookeeper', 'a'] } },
  ])
  expect(server.watches.data).toEqual([])
  expect(server.watches.child).toEqual([])
})

test('multiRead: writes are refused, with a body that says nothing', async () => {
  const { server, client } = await connected()
  await using _ = server

  const reply = await client.call(operations.multiRead, [part(operations.create, create('/a'))])

  expect(reply.err).toBe(-5)
  expect(reply.bytes.subarray(16).toString('hex')).toBe('ffffffff01ffffffff')
  expect(server.get('/a')).toBeNull()
})
