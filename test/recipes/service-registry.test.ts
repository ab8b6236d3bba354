import { expect, test } from 'vitest'
import { ServiceRegistry } from '../../src/recipes/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { describeServers, errorOf, newChroot, open, openAt, testSince } from '../support/servers.ts'

const users = { name: 'users', address: '127.0.0.1', port: 8897 }

describeServers('ServiceRegistry', (server) => {
  const since36 = testSince(server, '3.6')

  since36('finds what is registered, and follows those who come and go', async () => {
    const chroot = await newChroot(server)
    const zk = await openAt(server.connectString + chroot)
    const seeker = await openAt(server.connectString + chroot)
    const first = await new ServiceRegistry(zk, '/s').register({ ...users, payload: { zone: 'a' } })
    const provider = await new ServiceRegistry(seeker, '/s').discover('users')
    expect(provider.instances).toEqual([first.instance])
    expect(provider.pick()).toMatchObject({ ...users, payload: { zone: 'a' } })

    const lists = provider.changes()
    const second = await new ServiceRegistry(zk, '/s').register({ ...users, port: 8898 })
    expect((await lists.next()).value).toHaveLength(2)
    await first.close()
    expect((await lists.next()).value).toEqual([second.instance])
    await second.close()
    expect((await lists.next()).value).toEqual([])
    expect(provider.pick()).toBeNull()
    await provider.close()
    expect(await lists.next()).toEqual({ done: true, value: undefined })
  })

  since36('round-robin goes through all instances in turn', async () => {
    const zk = await open(server)
    const registry = new ServiceRegistry(zk, '/s')
    for (const id of ['a', 'b', 'c']) await registry.register({ ...users, id })
    const provider = await registry.discover('users', { strategy: 'round-robin' })
    const picked = Array.from({ length: 6 }, () => provider.pick()?.id)
    expect(picked.slice(0, 3).sort()).toEqual(['a', 'b', 'c'])
    expect(picked.slice(3)).toEqual(picked.slice(0, 3))
    await provider.close()
  })

  test('a second live instance of the same id is a conflict', async () => {
    const chroot = await newChroot(server)
    const [zk, other] = [
      await openAt(server.connectString + chroot),
      await openAt(server.connectString + chroot),
    ]
    await new ServiceRegistry(zk, '/s').register({ ...users, id: 'one' })
    const error = await errorOf(
      new ServiceRegistry(other, '/s').register({ ...users, id: 'one' }, { timeout: 100 }),
    )
    expect(error).toMatchObject({ code: 'NODE_EXISTS', path: '/s/users/one' })
    expect((await zk.getChildren('/s/users')).children).toEqual(['one'])
  })

  since36('an instance that was deleted by somebody registers again', async () => {
    const zk = await open(server)
    const registry = new ServiceRegistry(zk, '/s')
    const { path } = await registry.register({ ...users, id: 'one' })
    const watch = zk.watch(path)
    await watch.ready
    await zk.delete(path)
    expect((await watch.next()).value).toMatchObject({ type: 'NodeDeleted' })
    expect((await watch.next()).value).toMatchObject({ type: 'NodeCreated' })
  })

  since36('what is no instance does not hide those that are', async () => {
    const zk = await open(server)
    const registry = new ServiceRegistry(zk, '/s')
    const { instance } = await registry.register(users)
    await zk.create('/s/users/__proto__', 'not JSON')
    await zk.create('/s/users/empty', null)
    const provider = await registry.discover('users')
    expect(provider.instances).toEqual([instance])
    await provider.close()
  })
})

test('an instance whose session expires registers again in the next session', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const seeker = await openAt(server.connectString)
  const { path } = await new ServiceRegistry(zk, '/s').register(users)
  const provider = await new ServiceRegistry(seeker, '/s').discover('users')
  const lists = provider.changes()
  await server.expire(zk.session.id)
  expect((await lists.next()).value).toEqual([])
  expect((await lists.next()).value).toHaveLength(1)
  await zk.waitFor('connected')
  expect((await seeker.exists(path))?.ephemeralOwner).toBe(zk.session.id)
  await provider.close()
})

test('a process that restarts at once waits for its ghost, and takes its place', async () => {
  await using server = await TestServer.start()
  const [ghost, zk] = [await openAt(server.connectString), await openAt(server.connectString)]
  await new ServiceRegistry(ghost, '/s').register({ ...users, id: 'one' })
  const registering = new ServiceRegistry(zk, '/s').register({ ...users, id: 'one' })
  await zk.sync()
  await ghost.close()
  const { path } = await registering
  expect((await zk.exists(path))?.ephemeralOwner).toBe(zk.session.id)
})
