import { expect, test } from 'vitest'
import {
  CreateFlags,
  type CreateMode,
  operations,
  Perms,
  ttlMsMax,
} from '../../../src/protocol/index.ts'
import { TestServer, type TestServerOptions } from '../../../src/testing/index.ts'
import { ManualClock } from './manual-clock.ts'
import { openAcl, RawClient } from './raw-client.ts'

const create = (path: string, mode: CreateMode = 'persistent', data: Buffer | null = null) => {
  return { path, data, acl: openAcl, flags: CreateFlags[mode] }
}

async function connected(options: TestServerOptions = {}) {
  const server = await TestServer.start(options)
  return { server, client: await RawClient.connect(server.port) }
}

// Recipes depend on it: a number is never given out twice, even if all its znodes are gone.
test('znodes: sequence numbers count all creates, never deletes or failures', async () => {
  const { server, client } = await connected()
  await using _ = server
  const add = async (path: string, mode: CreateMode = 'persistent') =>
    (await client.call(operations.create, create(path, mode))).response?.path

  await add('/q')
  expect(await add('/q/a-', 'persistent-sequential')).toBe('/q/a-0000000000')
  expect(await add('/q/plain')).toBe('/q/plain')
  expect(await add('/q/plain')).toBeUndefined()
  await client.call(operations.delete, { path: '/q/plain', version: -1 })
  expect(await add('/q/b-', 'ephemeral-sequential')).toBe('/q/b-0000000002')
  expect(await add('/q/', 'persistent-sequential')).toBe('/q/0000000003')

  const stat = server.get('/q')?.stat
  expect(stat).toMatchObject({ numChildren: 3, cversion: 2 * 4 - 3 })
})

test('znodes: a fresh tree has the Stats of a fresh server', async () => {
  const { server, client } = await connected()
  await using _ = server

  expect(server.get('/')?.stat).toMatchObject({ cversion: -1, numChildren: 1, czxid: 0n })
  expect(server.get('/zookeeper')?.stat).toMatchObject({ cversion: -2, numChildren: 2 })
  expect(server.get('/zookeeper/config')?.stat).toMatchObject({ aversion: -1, dataLength: 0 })
  const all = await client.call(operations.getAllChildrenNumber, { path: '/' })
  expect(all.response?.totalNumber).toBe(3)
})

test('znodes: a Stat shows which change did what, and when', async () => {
  const clock = new ManualClock()
  const { server, client } = await connected({ clock })
  await using _ = server

  const bornMs = clock.wallMs()
  await client.call(operations.create, create('/a', 'persistent', Buffer.from('one')))
  clock.advance(5)
  await client.call(operations.setData, { path: '/a', data: Buffer.from('three'), version: 0 })
  await client.call(operations.create, create('/a/b'))
  await client.call(operations.setACL, { path: '/a', acl: openAcl, version: 0 })

  expect(server.get('/a')?.stat).toMatchObject({
    czxid: 2n,
    mzxid: 3n,
    ctime: bornMs,
    mtime: bornMs + 5,
    version: 1,
    cversion: 1,
    aversion: 1,
    ephemeralOwner: 0n,
    dataLength: 5,
    numChildren: 1,
    pzxid: 4n,
  })
})

test('znodes: null and empty data are kept apart', async () => {
  const { server, client } = await connected()
  await using _ = server

  await client.call(operations.create, create('/null', 'persistent', null))
  await client.call(operations.create, create('/empty', 'persistent', Buffer.alloc(0)))

  const read = async (path: string) =>
    (await client.call(operations.getData, { path, watch: false })).response?.data
  expect(await read('/null')).toBeNull()
  expect(await read('/empty')).toEqual(Buffer.alloc(0))
})

test.each([
  ['the one there is', 1, 0],
  ['none in particular', -1, 0],
  ['an older one', 0, -103],
  ['a negative one', -2, -103],
])('znodes: a write that expects %s is judged by it', async (_name, version, err) => {
  const { server, client } = await connected()
  await using _ = server

  await client.call(operations.create, create('/a'))
  await client.call(operations.setData, { path: '/a', data: null, version: 0 })

  expect(await client.call(operations.delete, { path: '/a', version })).toMatchObject({ err })
})

test.each([
  ['a parent that does not exist', create('/none/a'), -101],
  ['a path that exists', create('/p'), -110],
  ['the root', create('/'), -110],
  ['an ephemeral parent', create('/e/a'), -108],
  ['an ephemeral parent with a bad name', create('/e/..'), -8],
  ['a slash at the end', create('/p/'), -8],
  ['an empty segment below nothing', create('/p//a'), -101],
  ['an empty segment below the root', create('//'), -8],
  ['no slash', create('a'), -8],
  ['a control character', create('/\u0001'), -8],
  ['unknown flags', { ...create('/a'), flags: 7 }, -8],
  ['flags of a TTL without one', { ...create('/a'), flags: 5 }, -8],
  ['no ACL', { ...create('/none/a'), acl: [] }, -114],
])('znodes: create with %s fails as on a real server', async (_name, request, err) => {
  const { server, client } = await connected()
  await using _ = server
  await client.call(operations.create, create('/p'))
  await client.call(operations.create, create('/e', 'ephemeral'))

  expect(await client.call(operations.create2, request)).toMatchObject({ err })
})

test.each([
  ['a bad version of a znode with children', '/p', 7, -103],
  ['children', '/p', 0, -111],
  ['a parent that does not exist', '/none/a', -1, -101],
  ['a path that the server needs', '/zookeeper/quota', -1, -8],
  ['the root', '/', -1, -8],
  ['no slash', 'p', -1, -8],
])('znodes: delete with %s fails as on a real server', async (_name, path, version, err) => {
  const { server, client } = await connected()
  await using _ = server
  await client.call(operations.create, create('/p'))
  await client.call(operations.create, create('/p/a'))

  expect(await client.call(operations.delete, { path, version })).toMatchObject({ err })
})

test('znodes: reads know the empty path as the root, and no other strange path', async () => {
  const { server, client } = await connected()
  await using _ = server
  const exists = async (path: string) =>
    (await client.call(operations.exists, { path, watch: false })).err

  expect(await exists('')).toBe(0)
  expect(await exists('/zookeeper/')).toBe(-101)
  expect(await exists('zookeeper')).toBe(-101)
  expect(await exists('/a\0')).toBe(-8)
})

test('znodes: only their own operations make containers and TTL znodes', async () => {
  const clock = new ManualClock()
  const { server, client } = await connected({ clock, containerCheckInterval: 100 })
  await using _ = server

  await client.call(operations.create, { ...create('/plain'), flags: CreateFlags.container })
  await client.call(operations.createContainer, { ...create('/container'), flags: 0 })
  for (const parent of ['/plain', '/container']) {
    await client.call(operations.create, create(`${parent}/a`))
    await client.call(operations.delete, { path: `${parent}/a`, version: -1 })
  }
  clock.advance(100)

  expect(server.get('/plain')).not.toBeNull()
  expect(server.get('/container')).toBeNull()
})

test('znodes: a container is kept until it had a child and lost it', async () => {
  const clock = new ManualClock()
  const { server, client } = await connected({ clock, containerCheckInterval: 100 })
  await using _ = server

  await client.call(operations.createContainer, create('/c', 'container'))
  clock.advance(1000)
  expect(server.get('/c')?.stat.ephemeralOwner).toBe(0n)

  await client.call(operations.create, create('/c/a'))
  clock.advance(1000)
  expect(server.get('/c')).not.toBeNull()

  await client.call(operations.exists, { path: '/c', watch: true })
  await client.call(operations.delete, { path: '/c/a', version: -1 })
  clock.advance(100)
  expect(await client.takeEvent()).toEqual({ type: 'NodeDeleted', path: '/c', zxid: 5n })
  expect(server.log.at(-1)).toMatchObject({ operation: 'deleteContainer', path: '/c' })
  expect(clock.timerCount).toBe(1) // the session's: nothing is left to look for
})

test('znodes: a TTL counts from the last change of the data', async () => {
  const clock = new ManualClock()
  const { server, client } = await connected({ clock, containerCheckInterval: 100 })
  await using _ = server

  const request = { ...create('/t', 'persistent-with-ttl'), ttl: 250 }
  expect(await client.call(operations.createTTL, request)).toMatchObject({ err: 0 })
  clock.advance(200)
  await client.call(operations.setData, { path: '/t', data: null, version: -1 })
  clock.advance(200)
  expect(server.get('/t')).not.toBeNull()
  clock.advance(100)
  expect(server.get('/t')).toBeNull()
})

test.each([
  ['none', 'persistent-with-ttl', 0, -8],
  ['one too long', 'persistent-with-ttl', ttlMsMax + 1, -8],
  ['the longest', 'persistent-sequential-with-ttl', ttlMsMax, 0],
  ['one for a znode without', 'persistent', 1, -8],
] as const)('znodes: a TTL of %s is judged like a real server does', async (_n, mode, ttl, err) => {
  const { server, client } = await connected()
  await using _ = server

  expect(await client.call(operations.createTTL, { ...create('/t', mode), ttl })).toMatchObject({
    err,
  })
})

test('znodes: a server without extended types refuses TTLs', async () => {
  const { server, client } = await connected({ extendedTypes: false })
  await using _ = server
  const request = { ...create('/t', 'persistent-with-ttl'), ttl: 1 }

  expect(await client.call(operations.createTTL, request)).toMatchObject({ err: -6 })
  expect(await client.call(operations.sync, { path: '/' })).toMatchObject({ err: 0 })
})

test('znodes: getEphemerals takes a plain string prefix', async () => {
  const { server, client } = await connected()
  await using _ = server
  await using other = await RawClient.connect(server.port)
  for (const path of ['/pre', '/pre1', '/q']) {
    await client.call(operations.create, create(path, 'ephemeral'))
  }
  await other.call(operations.create, create('/pre2', 'ephemeral'))
  const ask = async (prefixPath: string) =>
    (await client.call(operations.getEphemerals, { prefixPath })).response?.ephemerals

  expect(await ask('/pre')).toEqual(['/pre', '/pre1'])
  expect(await ask('/')).toHaveLength(3)
  expect(await ask('')).toHaveLength(3)
})

const only = (perms: number) => [{ perms, id: { scheme: 'world', id: 'anyone' } }]

// The parent's ACL rules over the names below it, the znode's own over everything else.
test.each([
  ['delete wants DELETE on the parent', Perms.ALL - Perms.DELETE, 'delete'],
  ['create wants CREATE on the parent', Perms.ALL - Perms.CREATE, 'create'],
  ['create says so even if the path exists', Perms.ALL - Perms.CREATE, 'createAgain'],
  ['getData wants READ', Perms.ALL - Perms.READ, 'getData'],
  ['exists wants READ', Perms.ALL - Perms.READ, 'exists'],
  ['getChildren wants READ', Perms.ALL - Perms.READ, 'getChildren'],
  ['setData wants WRITE, whatever the version', Perms.ALL - Perms.WRITE, 'setData'],
  ['setACL wants ADMIN, whatever the version', Perms.ALL - Perms.ADMIN, 'setACL'],
  ['getACL wants READ or ADMIN', Perms.ALL - Perms.READ - Perms.ADMIN, 'getACL'],
])('acl: %s', async (_name, perms, operation) => {
  const { server, client } = await connected()
  await using _ = server
  await client.call(operations.create, create('/p'))
  await client.call(operations.create, create('/p/a'))
  await client.call(operations.setACL, { path: '/p', acl: only(perms), version: 0 })

  const requests = {
    delete: () => client.call(operations.delete, { path: '/p/a', version: 9 }),
    create: () => client.call(operations.create, create('/p/b')),
    createAgain: () => client.call(operations.create, create('/p/a')),
    getData: () => client.call(operations.getData, { path: '/p', watch: false }),
    exists: () => client.call(operations.exists, { path: '/p', watch: false }),
    getChildren: () => client.call(operations.getChildren, { path: '/p', watch: false }),
    setData: () => client.call(operations.setData, { path: '/p', data: null, version: 9 }),
    setACL: () => client.call(operations.setACL, { path: '/p', acl: openAcl, version: 9 }),
    getACL: () => client.call(operations.getACL, { path: '/p' }),
  }
  expect(await requests[operation as keyof typeof requests]()).toMatchObject({ err: -102 })
})

test.each([
  ['world with a name', 'world', 'bob', -114],
  ['auth without an identity', 'auth', '', -114],
  ['a digest', 'digest', 'bob:hash', 0],
  ['a digest without a hash', 'digest', 'bob:', -114],
  ['a digest with too much', 'digest', 'a:b:c', -114],
  ['an address', 'ip', '10.0.0.1', 0],
  ['a network', 'ip', '10.0.0.0/8', 0],
  ['a network of too many bits', 'ip', '10.0.0.0/33', -114],
  ['half an address', 'ip', '10.0', -114],
  ['an IPv6 network', 'ip', 'fe80::/10', 0],
  ['an unknown scheme', 'kerberos', 'bob', -114],
])('acl: an entry of %s is checked', async (_name, scheme, id, err) => {
  const { server, client } = await connected()
  await using _ = server
  const request = { ...create('/a'), acl: [{ perms: Perms.ALL, id: { scheme, id } }] }

  expect(await client.call(operations.create, request)).toMatchObject({ err })
})

const hashOfBob = 'bob:fyVmFCwVbTJYrznoSu1koqYEYF0='
const login = (auth: string) => ({ type: 0, scheme: 'digest', auth: Buffer.from(auth) })

test('acl: auth stands for the identities of the one who asks', async () => {
  const { server, client } = await connected()
  await using _ = server
  await using other = await RawClient.connect(server.port)
  const auth = [{ perms: Perms.ALL, id: { scheme: 'auth', id: 'ignored' } }]

  const reply = await client.call(operations.auth, login('bob:secret'), -4)
  expect(reply.bytes.toString('hex')).toBe('fffffffc000000000000000000000000')
  await client.call(operations.create, { ...create('/mine'), acl: auth })

  const { response } = await client.call(operations.getACL, { path: '/mine' })
  expect(response?.acl).toEqual([{ perms: 31, id: { scheme: 'digest', id: hashOfBob } }])
  expect(await other.call(operations.getACL, { path: '/mine' })).toMatchObject({ err: -102 })
})

test('acl: who may not administer a znode sees no hashes', async () => {
  const { server, client } = await connected()
  await using _ = server
  const acl = [{ perms: Perms.ALL, id: { scheme: 'digest', id: hashOfBob } }, ...only(Perms.READ)]
  await client.call(operations.create, { ...create('/a'), acl })

  const { response } = await client.call(operations.getACL, { path: '/a' })

  expect(response?.acl[0]?.id.id).toBe('bob:x')
})

test('acl: duplicates are stored once', async () => {
  const { server, client } = await connected()
  await using _ = server
  await client.call(operations.create, { ...create('/a'), acl: [...openAcl, ...openAcl] })

  const { response } = await client.call(operations.getACL, { path: '/a' })

  expect(response?.acl).toEqual(openAcl)
})

test('acl: networks match by address', async () => {
  const { server, client } = await connected()
  await using _ = server
  const acl = (id: string) => [{ perms: Perms.ALL, id: { scheme: 'ip', id } }]
  await client.call(operations.create, { ...create('/near'), acl: acl('127.0.0.0/8') })
  await client.call(operations.create, { ...create('/far'), acl: acl('10.0.0.0/8') })
  const read = async (path: string) =>
    (await client.call(operations.getData, { path, watch: false })).err

  expect(await read('/near')).toBe(0)
  expect(await read('/far')).toBe(-102)
})

test('acl: the super user may do everything', async () => {
  const superDigest = 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs='
  const { server, client } = await connected({ superDigest })
  await using _ = server
  await client.call(operations.create, { ...create('/a'), acl: only(0) })
  expect(await client.call(operations.getACL, { path: '/a' })).toMatchObject({ err: -102 })

  await client.call(operations.auth, login('super:admin'), -4)
  expect(await client.call(operations.getACL, { path: '/a' })).toMatchObject({ err: 0 })
})

test('auth: an unknown scheme is answered -115, then the connection is closed', async () => {
  const { server, client } = await connected()
  await using _ = server

  client.request(operations.auth, { type: 0, scheme: 'world', auth: Buffer.from('anyone') }, -4)

  const frame = await client.takeFrame()
  expect(frame?.toString('hex')).toBe('fffffffc0000000000000000ffffff8d')
  await client.closed
})

test('auth: whoAmI names each identity once, without passwords', async () => {
  const { server, client } = await connected()
  await using _ = server
  await client.call(operations.auth, login('bob:secret'), -4)
  await client.call(operations.auth, login('bob:secret'), -4)

  const { response } = await client.call(operations.whoAmI, undefined)

  expect(response?.clientInfo).toEqual([
    { authScheme: 'ip', user: '127.0.0.1' },
    { authScheme: 'digest', user: 'bob' },
  ])
})
