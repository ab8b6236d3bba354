import { expect, test } from 'vitest'
import { type CreateMode } from '../../src/index.ts'
import { describeServers, errorOf, newChroot, open, openAt } from '../support/servers.ts'

describeServers('create', (server) => {
  test('returns the path and the Stat of the new znode', async () => {
    const zk = await open(server)
    const { path, stat } = await zk.create('/a', 'hello')
    expect(path).toBe('/a')
    expect(stat).toMatchObject({ version: 0, dataLength: 5, numChildren: 0, ephemeralOwner: 0n })
    expect(stat).toEqual(await zk.exists('/a'))
  })

  test.each<[CreateMode, RegExp]>([
    ['persistent', /^\/n$/],
    ['persistent-sequential', /^\/n0000000000$/],
    ['ephemeral', /^\/n$/],
    ['ephemeral-sequential', /^\/n0000000000$/],
    ['container', /^\/n$/],
  ])('makes a znode of mode %s', async (mode, pattern) => {
    const zk = await open(server)
    const { path, stat } = await zk.create('/n', '', { mode })
    expect(path).toMatch(pattern)
    expect(stat.ephemeralOwner).toBe(mode.startsWith('ephemeral') ? zk.session.id : 0n)
  })

  test('counts sequence numbers by the creates under the parent', async () => {
    const zk = await open(server)
    await zk.create('/plain')
    const first = await zk.create('/q-', '', { mode: 'persistent-sequential' })
    await zk.delete(first.path)
    const second = await zk.create('/r-', '', { mode: 'ephemeral-sequential' })
    expect([first.path, second.path]).toEqual(['/q-0000000001', '/r-0000000002'])
  })

  test('names a sequential znode below a path that ends in a slash by its number alone', async () => {
    const zk = await open(server)
    await zk.create('/dir')
    const { path } = await zk.create('/dir/', '', { mode: 'persistent-sequential' })
    expect(path).toBe('/dir/0000000000')
  })

  test('R77: deletes a TTL znode that nobody touches', async () => {
    const zk = await open(server)
    const { path } = await zk.create('/short', '', { mode: 'persistent-with-ttl', ttl: 200 })
    expect(path).toBe('/short')
    await expect.poll(() => zk.exists('/short'), { timeout: 10_000 }).toBeNull()
  })

  test('gives a sequential TTL znode its number', async () => {
    const zk = await open(server)
    const mode = 'persistent-sequential-with-ttl'
    expect((await zk.create('/t-', '', { mode, ttl: 60_000 })).path).toBe('/t-0000000000')
  })

  test('R77: deletes a container after its last child', async () => {
    const zk = await open(server)
    await zk.create('/box', '', { mode: 'container' })
    await zk.create('/box/item')
    await zk.delete('/box/item')
    await expect.poll(() => zk.exists('/box'), { timeout: 10_000 }).toBeNull()
  })

  test.each([
    ['NODE_EXISTS', -110, '/a', 'persistent'],
    ['NO_NODE', -101, '/missing/child', 'persistent'],
    ['NO_CHILDREN_FOR_EPHEMERALS', -108, '/e/child', 'persistent'],
  ] as const)('fails with %s', async (code, errno, path, mode) => {
    const zk = await open(server)
    await zk.create('/a')
    await zk.create('/e', '', { mode: 'ephemeral' })
    const error = await errorOf(zk.create(path, '', { mode }))
    const outcome = 'not-applied'
    expect(error).toMatchObject({ code, errno, path, outcome, sessionId: zk.session.id })
  })

  test.each([
    ['a path without a slash', 'relative', {}],
    ['an empty segment', '/a//b', {}],
    ['a trailing slash', '/a/', {}],
    ['a control character', '/a\u0001', {}],
    ['a ttl without a mode that has one', '/a', { ttl: 5 }],
    ['a mode with ttl but no ttl', '/a', { mode: 'persistent-with-ttl' as const }],
    ['a ttl beyond the limit', '/a', { mode: 'persistent-with-ttl' as const, ttl: 2 ** 40 }],
    ['an unknown mode', '/a', { mode: 'permanent' as 'persistent' }],
  ])('refuses %s before anything is sent', async (_, path, options) => {
    const zk = await open(server)
    const error = await errorOf(zk.create(path, '', options))
    expect(error).toMatchObject({ code: 'BAD_ARGUMENTS', outcome: 'not-applied' })
  })

  test('maps every path into the chroot and out of it', async () => {
    const chroot = await newChroot(server)
    const inside = await openAt(server.connectString + chroot)
    const outside = await openAt(server.connectString)
    const { path } = await inside.create('/a-', 'x', { mode: 'persistent-sequential' })
    expect(path).toBe('/a-0000000000')
    expect((await outside.getData(chroot + path)).data?.toString()).toBe('x')
    expect((await inside.getChildren('/')).children).toEqual(['a-0000000000'])
  })
})
