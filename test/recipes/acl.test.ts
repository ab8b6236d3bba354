import { expect } from 'vitest'
import { type ACL, digestId, type ZooKeeper } from '../../src/index.ts'
import { Config, Election, Lock, ServiceRegistry } from '../../src/recipes/index.ts'
import { describeServers, newChroot, openAt, testSince } from '../support/servers.ts'

// ACLs are not inherited: a parent that is left open lets strangers delete what is below it. So a recipe
// gives its ACL to every znode that it makes, parents too.

const own: readonly ACL[] = [{ perms: 31, id: digestId('bob', 'secret') }]
const auth = [{ scheme: 'digest', auth: 'bob:secret' }]
const at = '/r/deep/at'

type Use = (zk: ZooKeeper, option: { readonly acl?: readonly ACL[] }) => Promise<unknown>

const registered = (zk: ZooKeeper, option: { readonly acl?: readonly ACL[] }) =>
  new ServiceRegistry(zk, at, option).register({ name: 'users', address: '10.0.0.1', port: 1 })

const uses: readonly (readonly [recipe: string, paths: number, use: Use])[] = [
  ['Lock', 4, (zk, option) => new Lock(zk, at, option).acquire()],
  ['Election', 4, (zk, option) => new Election(zk, at, option).campaign().next()],
  ['ServiceRegistry', 5, registered],
  ['Config', 3, async (zk, option) => (await Config.open<string>(zk, at, option)).set('x')],
]
const lookers: typeof uses = [
  [
    'ServiceRegistry, discovering',
    4,
    (zk, option) => new ServiceRegistry(zk, at, option).discover('users'),
  ],
  ['Election, observed', 3, (zk, option) => new Election(zk, at, option).observe().next()],
]

describeServers('the ACL of a recipe', (server) => {
  const cases = [...uses, ...lookers].flatMap(([recipe, paths, use]) => [
    [recipe, 'its own', paths, use] as const,
    [recipe, 'that of the client', paths, use] as const,
  ])

  testSince(server, '3.6').each(cases)(
    '%s has %s, on every znode',
    async (_, whose, paths, use) => {
      const connectString = server.connectString + (await newChroot(server))
      const isOwn = whose === 'its own'
      const zk = await openAt(connectString, { auth, ...(!isOwn && { acl: own }) })
      await use(zk, isOwn ? { acl: own } : {})
      const made: string[] = []
      for await (const { path } of zk.walk('/r')) {
        made.push(path)
        expect((await zk.getACL(path)).acl, path).toEqual(own)
      }
      expect(made).toHaveLength(paths)
    },
  )
})
