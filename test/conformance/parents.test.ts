import { expect, test } from 'vitest'
import { CREATOR_ALL_ACL, Perms, READ_ACL_UNSAFE } from '../../src/index.ts'
import { describeServers, errorOf, newChroot, open, openAt, testSince } from '../support/servers.ts'

describeServers('create with parents', (server) => {
  test('R74: makes what is missing above, and leaves it empty', async () => {
    const zk = await open(server)
    const { path } = await zk.create('/a/b/c', 'payload', { parents: true })
    expect(path).toBe('/a/b/c')
    expect((await zk.getData('/a')).data).toEqual(Buffer.alloc(0))
    expect((await zk.getData('/a/b')).data).toEqual(Buffer.alloc(0))
    expect((await zk.getData('/a/b/c')).data?.toString()).toBe('payload')
  })

  test('leaves what is there above as it is', async () => {
    const zk = await open(server)
    await zk.create('/a', 'kept')
    await zk.create('/a/b/c', '', { parents: 'persistent' })
    expect((await zk.getData('/a')).data?.toString()).toBe('kept')
  })

  testSince(server, '3.6')('makes containers, which vanish with their last child', async () => {
    const zk = await open(server)
    const watch = zk.watch('/a')
    await watch.ready
    await zk.create('/a/b', '', { parents: true })
    await zk.delete('/a/b')
    const types: (string | undefined)[] = []
    while (types.at(-1) !== 'NodeDeleted') types.push((await watch.next()).value?.type)
    expect(types).toContain('NodeCreated')
  })

  test('gives ancestors the ACL of the znode', async () => {
    const zk = await open(server, { auth: [{ scheme: 'digest', auth: 'u:p' }] })
    await zk.create('/a/b', '', { parents: true, acl: CREATOR_ALL_ACL })
    expect((await zk.getACL('/a')).acl).toEqual((await zk.getACL('/a/b')).acl)
    expect((await zk.getACL('/a')).acl[0]?.id.scheme).toBe('digest')
  })

  test('or the one of the client', async () => {
    const acl = [{ perms: Perms.READ | Perms.CREATE, id: READ_ACL_UNSAFE[0]!.id }]
    const zk = await open(server, { acl })
    await zk.create('/a/b', '', { parents: true })
    expect((await zk.getACL('/a')).acl).toEqual(acl)
  })

  test('numbers a sequential ephemeral below fresh parents', async () => {
    const zk = await open(server)
    const mode = 'ephemeral-sequential'
    expect((await zk.create('/q/j-', '', { mode, parents: true })).path).toBe('/q/j-0000000000')
    expect((await zk.create('/r/s/', '', { mode, parents: true })).path).toBe('/r/s/0000000000')
  })

  test('R75: fifty at once all succeed', async () => {
    const chroot = await newChroot(server)
    const clients = [
      await openAt(server.connectString + chroot),
      await openAt(server.connectString + chroot),
    ]
    const created = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        clients[i % 2]!.create(`/a/b/c/${i}`, String(i), { parents: true }),
      ),
    )
    expect(new Set(created.map(({ path }) => path)).size).toBe(50)
    expect((await clients[0]!.getChildren('/a/b/c')).children).toHaveLength(50)
  })

  test('makes a chroot that is missing', async () => {
    const chroot = `${await newChroot(server)}/not/yet`
    const zk = await openAt(server.connectString + chroot)
    expect((await zk.create('/a', '', { parents: true })).path).toBe('/a')
    expect(await zk.exists('/')).not.toBeNull()
  })

  test('still fails for what is not about ancestors', async () => {
    const zk = await open(server)
    await zk.create('/a')
    const exists = await errorOf(zk.create('/a', '', { parents: true }))
    expect(exists).toMatchObject({ code: 'NODE_EXISTS', path: '/a' })
    await zk.create('/e', '', { mode: 'ephemeral' })
    const below = await errorOf(zk.create('/e/b/c', '', { parents: true }))
    expect(below).toMatchObject({ code: 'NO_CHILDREN_FOR_EPHEMERALS' })
  })

  test('says NO_AUTH if a missing ancestor may not be made, and succeeds below one that is there', async () => {
    const chroot = await newChroot(server)
    const zk = await openAt(server.connectString + chroot)
    await zk.create('/shut', '', { acl: READ_ACL_UNSAFE })
    const refused = await errorOf(zk.create('/shut/a/b', '', { parents: true }))
    expect(refused).toMatchObject({ code: 'NO_AUTH', path: '/shut/a' })
    await zk.create('/half/open', '', { parents: 'persistent' })
    await zk.setACL('/half', READ_ACL_UNSAFE)
    // /half/open may not be made, but it is there.
    const created = await zk.create('/half/open/a/b', '', { parents: true })
    expect(created.path).toBe('/half/open/a/b')
  })

  test('takes data whose memory is reused at once', async () => {
    const zk = await open(server)
    const data = Buffer.from('before')
    const created = zk.create('/a/b', data, { parents: true })
    data.write('after!')
    await created
    expect((await zk.getData('/a/b')).data?.toString()).toBe('before')
  })

  test('an abort before the turn is over sends nothing, and a bad timeout neither', async () => {
    const zk = await open(server)
    const abort = new AbortController()
    const created = zk.create('/a/b', '', { parents: true, signal: abort.signal })
    abort.abort('enough')
    expect(await errorOf(created)).toMatchObject({ code: 'ABORTED', cause: 'enough' })
    const bad = await errorOf(zk.create('/a/b', '', { parents: true, timeout: -1 }))
    expect(bad).toMatchObject({ code: 'BAD_ARGUMENTS' })
    expect(await zk.exists('/a')).toBeNull()
  })

  test.each([
    ['a relative path', 'a/b', true],
    ['another word', '/a/b', 'ephemeral' as 'container'],
  ])('refuses %s', async (_, path, parents) => {
    const zk = await open(server)
    expect(await errorOf(zk.create(path, '', { parents }))).toMatchObject({ code: 'BAD_ARGUMENTS' })
  })

  test('R76: a transaction can have them, too', async () => {
    const zk = await open(server)
    const [first, second] = await zk
      .multi()
      .create('/a/b/1', 'x', { parents: true })
      .create('/c/d/2', 'y', { parents: 'persistent' })
      .commit()
    expect([first.path, second.path]).toEqual(['/a/b/1', '/c/d/2'])
    const error = await errorOf(
      zk.multi().create('/e/f', '', { parents: true }).delete('/nope').commit(),
    )
    expect(error).toMatchObject({ code: 'NO_NODE', index: 1, path: '/nope' })
    expect(await zk.exists('/e/f')).toBeNull()
  })
})
