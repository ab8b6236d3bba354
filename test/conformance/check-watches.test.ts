import { expect, test } from 'vitest'
import { type WatcherKind, type ZooKeeper } from '../../src/index.ts'
import { describeServers, errorOf, newChroot, open, openAt, testSince } from '../support/servers.ts'

const kinds: readonly WatcherKind[] = [
  'data',
  'children',
  'persistent',
  'persistent-recursive',
  'any',
]

describeServers('checkWatches', (server) => {
  const since39 = testSince(server, '3.9')

  const kindsAt = async (zk: ZooKeeper, path: string) => {
    const found: WatcherKind[] = []
    for (const kind of kinds) if (await zk.checkWatches(path, { kind })) found.push(kind)
    return found
  }

  const settings: readonly [string, WatcherKind, (zk: ZooKeeper) => Promise<unknown>][] = [
    ['getData', 'data', (zk) => zk.getData('/a', { watch() {} })],
    ['exists', 'data', (zk) => zk.exists('/a', { watch() {} })],
    ['getChildren', 'children', (zk) => zk.getChildren('/a', { watch() {} })],
    ['watch', 'persistent', (zk) => zk.watch('/a').ready],
    [
      'a recursive watch',
      'persistent-recursive',
      (zk) => zk.watch('/a', { recursive: true }).ready,
    ],
  ]

  since39.each(settings)('tells the kind of the watch that %s sets', async (_, kind, set) => {
    const zk = await open(server)
    const other = await open(server)
    await zk.create('/a')
    await zk.create('/a/b')
    expect(await kindsAt(zk, '/a')).toEqual([])
    await set(zk)
    expect(await kindsAt(zk, '/a')).toEqual([kind, 'any'])
    expect(await kindsAt(zk, '/a/b')).toEqual([])
    expect(await kindsAt(other, '/a')).toEqual([])
  })

  test('is true until the watch has fired, or was taken back', async () => {
    const zk = await open(server)
    await zk.create('/a')
    await zk.getData('/a', { watch() {} })
    expect(await zk.checkWatches('/a')).toBe(true)
    await zk.setData('/a', 'x')
    expect(await zk.checkWatches('/a')).toBe(false)
    await zk.getChildren('/a', { watch() {} })
    expect(await zk.checkWatches('/a', { kind: 'children' })).toBe(true)
    await zk.removeWatches('/a')
    expect(await zk.checkWatches('/a', { kind: 'children' })).toBe(false)
  })

  test('is about the path in the chroot, and about all views of the session', async () => {
    const chroot = await newChroot(server)
    const zk = await openAt(server.connectString)
    const view = zk.chroot(chroot)
    await view.create('/a')
    await view.getData('/a', { watch() {} })
    expect(await view.checkWatches('/a')).toBe(true)
    expect(await zk.checkWatches(`${chroot}/a`)).toBe(true)
    expect(await zk.checkWatches('/a')).toBe(false)
  })

  test('asks for what there is not, too: a watch may be on a znode that is missing', async () => {
    const zk = await open(server)
    await zk.exists('/later', { watch() {} })
    expect(await zk.checkWatches('/later', { kind: 'data' })).toBe(true)
  })

  test('refuses what is no kind and no path', async () => {
    const zk = await open(server)
    const kind = 'child' as unknown as WatcherKind
    expect(await errorOf(zk.checkWatches('/a', { kind }))).toMatchObject({ code: 'BAD_ARGUMENTS' })
    expect(await errorOf(zk.checkWatches('a'))).toMatchObject({ code: 'BAD_ARGUMENTS' })
  })

  test('the persistent kinds need 3.9, and older servers say so', async () => {
    const zk = await open(server)
    const isOlder = server.version.localeCompare('3.9', 'en', { numeric: true }) < 0
    for (const kind of ['persistent', 'persistent-recursive'] as const) {
      const asked = zk.checkWatches('/', { kind })
      if (!isOlder) expect(await asked).toBe(false)
      else expect(await errorOf(asked)).toMatchObject({ code: 'UNIMPLEMENTED', since: '3.9' })
    }
    expect(await zk.checkWatches('/', { kind: 'data' })).toBe(false)
  })
})
