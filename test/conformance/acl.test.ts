import { expect, test } from 'vitest'
import {
  CREATOR_ALL_ACL,
  digestId,
  OPEN_ACL_UNSAFE,
  Perms,
  READ_ACL_UNSAFE,
} from '../../src/index.ts'
import { describeServers, errorOf, newChroot, open, openAt } from '../support/servers.ts'

const bob = { scheme: 'digest', auth: 'bob:secret' }

describeServers('ACLs', (server) => {
  test('a znode is open unless the client or the call says otherwise', async () => {
    const zk = await open(server)
    await zk.create('/open')
    await zk.create('/readable', '', { acl: READ_ACL_UNSAFE })
    expect((await zk.getACL('/open')).acl).toEqual(OPEN_ACL_UNSAFE)
    expect((await zk.getACL('/readable')).acl).toEqual(READ_ACL_UNSAFE)
    expect(await errorOf(zk.setData('/readable', ''))).toMatchObject({ code: 'NO_AUTH' })
  })

  test('setACL counts the aversion, and is refused at another one', async () => {
    const zk = await open(server)
    await zk.create('/a')
    const stat = await zk.setACL('/a', OPEN_ACL_UNSAFE, { version: 0 })
    expect(stat.aversion).toBe(1)
    expect((await zk.getACL('/a')).stat).toEqual(stat)
    const error = await errorOf(zk.setACL('/a', OPEN_ACL_UNSAFE, { version: 0 }))
    expect(error).toMatchObject({ code: 'BAD_VERSION' })
  })

  test('D20: an ACL that somebody changes fails the next call, and nothing else', async () => {
    const chroot = await newChroot(server)
    const zk = await openAt(server.connectString + chroot)
    const other = await openAt(server.connectString + chroot)
    await zk.create('/a', 'x')
    const { id } = zk.session
    await other.setACL('/a', READ_ACL_UNSAFE)
    const ends = await Promise.allSettled([
      zk.getData('/a'),
      zk.setData('/a', 'y'),
      zk.create('/b'),
      zk.exists('/a'),
    ])
    expect(ends.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    const refusal = { code: 'NO_AUTH', op: 'setData', path: '/a', outcome: 'not-applied' }
    expect(ends[1]).toMatchObject({ reason: refusal })
    expect([zk.state, zk.session.id, zk.stats().reconnects]).toEqual(['connected', id, 0])
  })

  test('digestId is the identity that digest authentication gives', async () => {
    const chroot = await newChroot(server)
    const zk = await openAt(server.connectString + chroot, { auth: [bob] })
    await zk.create('/private', 'x', { acl: CREATOR_ALL_ACL })
    expect((await zk.getACL('/private')).acl).toEqual([
      { perms: Perms.ALL, id: digestId('bob', 'secret') },
    ])
    const stranger = await openAt(server.connectString + chroot)
    expect(await errorOf(stranger.getData('/private'))).toMatchObject({ code: 'NO_AUTH' })
    await stranger.addAuth('digest', 'bob:secret')
    expect((await stranger.getData('/private')).data?.toString()).toBe('x')
  })

  test('an ACL for the creator needs a creator who is known', async () => {
    const zk = await open(server)
    const error = await errorOf(zk.create('/a', '', { acl: CREATOR_ALL_ACL }))
    expect(error).toMatchObject({ code: 'INVALID_ACL', errno: -114 })
  })

  test('a rejected identity ends the client', async () => {
    const zk = await open(server)
    const waiting = zk.addAuth('no-such-scheme', 'x')
    expect(await errorOf(waiting)).toMatchObject({ code: 'AUTH_FAILED' })
    expect(zk.state).toBe('auth-failed')
    expect(await errorOf(zk.exists('/'))).toMatchObject({ code: 'AUTH_FAILED' })
  })

  test('a password is not sent in clear to another machine', async () => {
    const error = await errorOf(openAt('zookeeper.invalid', { auth: [bob] }))
    expect(error).toMatchObject({ code: 'BAD_ARGUMENTS' })
  })
})
