import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, type ZooKeeper } from '../../src/index.ts'
import { Config, Election, Lock, ServiceRegistry } from '../../src/recipes/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { errorOf } from '../support/servers.ts'

// A path may be made of what a stranger typed. One rule judges it at every entry, and a bad one is
// refused before anything is sent, so that no call leads out of a chroot.

const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]

const entries: Record<string, (zk: ZooKeeper, path: string) => Promise<unknown>> = {
  getData: (zk, path) => zk.getData(path),
  'getData, fresh and watched': (zk, path) => zk.getData(path, { sync: true, watch: () => {} }),
  exists: (zk, path) => zk.exists(path),
  getChildren: (zk, path) => zk.getChildren(path),
  getACL: (zk, path) => zk.getACL(path),
  getMany: (zk, path) => zk.getMany(['/a', path]),
  multiRead: async (zk, path) => zk.multiRead().getData('/a').getChildren(path).read(),
  walk: (zk, path) => zk.walk(path).next(),
  getAllChildrenNumber: (zk, path) => zk.getAllChildrenNumber(path),
  getEphemerals: (zk, path) => zk.getEphemerals(path),
  check: (zk, path) => zk.check(path, 0),
  sync: (zk, path) => zk.sync(path),
  create: (zk, path) => zk.create(path),
  'create with parents': (zk, path) => zk.create(path, '', { parents: true }),
  'create, idempotent': (zk, path) => zk.create(path, '', { idempotent: true }),
  'create, protected': (zk, path) => zk.create(path, '', { protect: true }),
  delete: (zk, path) => zk.delete(path),
  'delete, guaranteed': (zk, path) => zk.delete(path, { guaranteed: true }),
  deleteRecursive: (zk, path) => zk.deleteRecursive(path),
  setData: (zk, path) => zk.setData(path, ''),
  setACL: (zk, path) => zk.setACL(path, acl),
  'multi, create': async (zk, path) => zk.multi().create('/b').create(path).commit(),
  'multi, setData': async (zk, path) => zk.multi().setData(path, '').commit(),
  'multi, delete': async (zk, path) => zk.multi().delete(path).commit(),
  'multi, check': async (zk, path) => zk.multi().check(path, 0).commit(),
  watch: async (zk, path) => zk.watch(path).ready,
  observe: (zk, path) => zk.observe(path).next(),
  removeWatches: (zk, path) => zk.removeWatches(path),
  chroot: async (zk, path) => zk.chroot(path).exists('/'),
  Lock: async (zk, path) => new Lock(zk, path).acquire(),
  Election: async (zk, path) => new Election(zk, path).campaign().next(),
  Config: (zk, path) => Config.open(zk, path),
  ServiceRegistry: async (zk, path) => new ServiceRegistry(zk, path).discover('users'),
}

const tricks = [
  '/../zookeeper',
  '/a/../../x',
  '/..',
  '/./a',
  '//a',
  'a',
  '',
  '/a\0b',
  '/a\u001b[2J',
]

describe('in a chroot', () => {
  let server: TestServer
  let zk: ZooKeeper
  beforeAll(async () => {
    server = await TestServer.start({ tree: { '/app/a': '' } })
    zk = await connect(`${server.connectString}/app`)
  })
  afterAll(async () => {
    await zk.close()
    await server.close()
  })

  test.each(Object.entries(entries))(
    'L16: %s takes no path that leads elsewhere',
    async (_, call) => {
      const before = server.log.length
      for (const path of tricks) {
        const error = await errorOf(call(zk, path))
        expect(error, JSON.stringify(path)).toMatchObject({
          code: 'BAD_ARGUMENTS',
          outcome: 'not-applied',
          message: expect.not.stringMatching(/[\u0000-\u001f]/),
        })
      }
      expect(server.log.slice(before)).toEqual([])
    },
  )

  test.each(['a/b', '..', '.', '', '../locks', 'a\0'])(
    'a registry has no service and no instance that is called %j',
    async (name) => {
      const before = server.log.length
      const registry = new ServiceRegistry(zk, '/services')
      const at = { address: '10.0.0.1', port: 1 }
      for (const call of [
        registry.register({ ...at, name }),
        registry.register({ ...at, name: 'users', id: name }),
        registry.discover(name),
      ]) {
        expect(await errorOf(call)).toMatchObject({ code: 'BAD_ARGUMENTS' })
      }
      expect(server.log.slice(before)).toEqual([])
    },
  )
})
