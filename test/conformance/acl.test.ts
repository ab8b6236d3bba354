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
