import { expect, test } from 'vitest'
import { Perms, READ_ACL_UNSAFE, type ZooKeeper } from '../../src/index.ts'
import { describeServers, errorOf, newChroot, open, openAt } from '../support/servers.ts'

/** `/t`, three children, nine grandchildren. */
async function plant(zk: ZooKeeper, root = '/t'): Promise<string[]> {
  const children = ['a', 'b', 'c'].map((name) => `${root}/${name}`)
  const grandchildren = children.flatMap((path) => ['x', 'y', 'z'].map((name) => `${path}/${name}`))
  const paths = [root, ...children, ...grandchildren]
  await Promise.all(paths.map((path) => zk.create(path, path)))
  return paths
}

async function pathsOf(zk: ZooKeeper, path: string, options?: { concurrency: number }) {
  const paths: string[] = []
  for await (const entry of zk.walk(path, options)) paths.push(entry.path)
  return paths
}

describeServers('getMany', (server) => {
  test('gives the data in the order of the paths, and null for what is missing', async () => {
    const zk = await open(server)
    await zk.create('/a', 'A')
    await zk.create('/b', 'B')
    const values = await zk.getMany(['/b', '/nope', '/a', '/b'])
    expect(values.map((value) => value?.data?.toString() ?? null)).toEqual(['B', null, 'A', 'B'])
    expect(values[2]?.stat).toEqual(await zk.exists('/a'))
    expect(await zk.getMany([])).toEqual([])
    expect(await zk.getMany(['/a'], { sync: true })).toEqual([values[2]])
  })

  test('reads more than may be on their way at a time', async () => {
    const zk = await open(server, { inFlightMax: 10 })
    const values = await zk.getMany(
      Array.from({ length: 1_000 }, (_, i) => (i % 2 ? '/' : '/nope')),
    )
    expect(values.filter((value) => value === null)).toHaveLength(500)
  })

  test('fails as a whole for another reason than absence', async () => {
    const zk = await open(server)
    const id = READ_ACL_UNSAFE[0]!.id
    await zk.create('/shut', '', { acl: [{ perms: Perms.DELETE, id }] })
    const error = await errorOf(zk.getMany(['/', '/shut']))
    expect(error).toMatchObject({ code: 'NO_AUTH', path: '/shut' })
  })

  test('sends nothing if one path is bad', async () => {
    const zk = await open(server)
    expect(await errorOf(zk.getMany(['/', 'bad']))).toMatchObject({ code: 'BAD_ARGUMENTS' })
  })
})

describeServers('walk', (server) => {
  test.each([1, 2, 64])('goes level by level, with %d requests at a time', async (concurrency) => {
    const zk = await open(server)
    const planted = await plant(zk)
    expect(await pathsOf(zk, '/t', { concurrency })).toEqual(planted)
  })

  test('tells the Stat of each', async () => {
    const zk = await open(server)
    await plant(zk)
    for await (const { path, stat } of zk.walk('/t')) expect(stat).toEqual(await zk.exists(path))
  })

  test('starts at the root, and knows no path outside of a chroot', async () => {
    const zk = await open(server)
    const planted = await plant(zk)
    expect(await pathsOf(zk, '/')).toEqual(['/', ...planted])
    const relative = planted.map((path) => path.slice('/t'.length) || '/')
    expect(await pathsOf(zk.chroot('/t'), '/')).toEqual(relative)
  })

  test('leaves out what vanishes while it goes', async () => {
    const zk = await open(server)
    const planted = await plant(zk)
    const paths: string[] = []
    for await (const { path } of zk.walk('/t', { concurrency: 1 })) {
      if (path === '/t') await zk.deleteRecursive('/t/b')
      paths.push(path)
    }
    expect(paths).toEqual(planted.filter((path) => !path.startsWith('/t/b')))
  })

  test('of what is not there is over at once', async () => {
    const zk = await open(server)
    expect(await pathsOf(zk, '/nope')).toEqual([])
  })

  test('may be left', async () => {
    const zk = await open(server)
    await plant(zk)
    for await (const { path } of zk.walk('/t')) if (path === '/t/a') break
    expect(await zk.exists('/t/a')).not.toBeNull()
  })

  test('throws when it is aborted, closed or not permitted', async () => {
    const zk = await open(server)
    await plant(zk)
    const abort = new AbortController()
    const walk = zk.walk('/t', { signal: abort.signal, concurrency: 1 })
    await walk.next()
    abort.abort()
    expect(await errorOf(walk.next())).toMatchObject({ code: 'ABORTED' })
    await zk.setACL('/t/b', [{ perms: Perms.DELETE, id: READ_ACL_UNSAFE[0]!.id }])
    expect(await errorOf(pathsOf(zk, '/t'))).toMatchObject({ code: 'NO_AUTH', path: '/t/b' })
    expect(await errorOf(pathsOf(zk, 'bad'))).toMatchObject({ code: 'BAD_ARGUMENTS' })
    const none = await errorOf(pathsOf(zk, '/t', { concurrency: 0 }))
    expect(none).toMatchObject({ code: 'BAD_ARGUMENTS' })
    await zk.close()
    expect(await errorOf(pathsOf(zk, '/t'))).toMatchObject({ code: 'CLOSED' })
  })
})

describeServers('deleteRecursive', (server) => {
  test('deletes the znode and everything below it, and nothing else', async () => {
    const zk = await open(server)
    await plant(zk)
    await zk.create('/ta')
    await zk.deleteRecursive('/t')
    expect((await zk.getChildren('/')).children).toEqual(['ta'])
    await zk.deleteRecursive('/t')
  })

  test('deletes more than one batch', async () => {
    const zk = await open(server)
    await zk.create('/t')
    const paths = Array.from({ length: 2_500 }, (_, i) => `/t/${i}`)
    await Promise.all(paths.map((path) => zk.create(path)))
    await zk.deleteRecursive('/t')
    expect(await zk.exists('/t')).toBeNull()
  })

  test('succeeds for all of several that delete the same, while another creates', async () => {
    const chroot = await newChroot(server)
    const clients = await Promise.all([1, 2, 3, 4].map(() => openAt(server.connectString + chroot)))
    const [creator, ...deleters] = clients as [ZooKeeper, ...ZooKeeper[]]
    await plant(creator)
    let created = 0
    const creating = (async () => {
      for (; created < 40; created++) {
        await creator.create(`/t/late/${created}`, '', { parents: 'persistent' })
      }
    })()
    await Promise.all(deleters.map((zk) => zk.deleteRecursive('/t')))
    await creating
    await deleters[0]!.deleteRecursive('/t')
    expect(await creator.exists('/t')).toBeNull()
  })

  test('in a chroot can delete the chroot, but never the root', async () => {
    const chroot = await newChroot(server)
    const zk = await openAt(server.connectString)
    const view = zk.chroot(chroot)
    await plant(view)
    await view.deleteRecursive('/')
    expect(await zk.exists(chroot)).toBeNull()
    const root = await errorOf(zk.deleteRecursive('/'))
    expect(root).toMatchObject({ code: 'BAD_ARGUMENTS', op: 'deleteRecursive', path: '/' })
  })

  test('says which znode may not be deleted', async () => {
    const zk = await open(server)
    await plant(zk)
    await zk.setACL('/t/b', READ_ACL_UNSAFE)
    const error = await errorOf(zk.deleteRecursive('/t'))
    expect(error).toMatchObject({ code: 'NO_AUTH', op: 'delete' })
    expect((error as { path: string }).path).toMatch(/^\/t\/b\//)
  })

  test('ends with its signal and with its timeout', async () => {
    const zk = await open(server)
    await plant(zk)
    const aborted = zk.deleteRecursive('/t', { signal: AbortSignal.abort() })
    expect(await errorOf(aborted)).toMatchObject({ code: 'ABORTED' })
    const late = zk.deleteRecursive('/t', { timeout: 1e-9 })
    expect(await errorOf(late)).toMatchObject({ code: 'TIMEOUT' })
    expect(await errorOf(zk.deleteRecursive('/t', { timeout: 0 }))).toMatchObject({
      code: 'BAD_ARGUMENTS',
    })
    expect(await zk.exists('/t/a/x')).not.toBeNull()
  })
})
