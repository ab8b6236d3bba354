import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { type ErrorCode, isZooKeeperError } from '../../src/index.ts'
import { describeServers, errorOf, open } from '../support/servers.ts'

describeServers('errors', (server) => {
  test('R38: the stack shows who called', async () => {
    const zk = await open(server)
    async function readTheMissing() {
      await zk.getData('/missing')
    }
    const error = (await errorOf(readTheMissing())) as Error
    expect(error.stack).toContain('readTheMissing')
    expect(error.message).toBe('getData /missing: the znode does not exist (NO_NODE)')
  })

  test('R38: an error knows its operation, server and session', async () => {
    const zk = await open(server)
    expect(await errorOf(zk.delete('/missing'))).toMatchObject({
      name: 'ZooKeeperError',
      code: 'NO_NODE',
      errno: -101,
      op: 'delete',
      path: '/missing',
      server: zk.server,
      sessionId: zk.session.id,
      outcome: 'not-applied',
      retriable: false,
    })
  })

  test.each([0, -1, NaN, '5' as unknown as number])(
    'a timeout of %o is refused',
    async (timeout) => {
      const zk = await open(server)
      expect(await errorOf(zk.exists('/', { timeout }))).toMatchObject({ code: 'BAD_ARGUMENTS' })
    },
  )

  test.each<[string, unknown]>([
    ['a number as data', 5],
    ['an object as data', {}],
  ])('%s is refused', async (_, data) => {
    const zk = await open(server)
    const error = await errorOf(zk.setData('/', data as string))
    expect(error).toMatchObject({ code: 'BAD_ARGUMENTS', outcome: 'not-applied' })
  })

  test.each([1.5, NaN, 2 ** 31, '1' as unknown as number])(
    'a version of %o is refused',
    async (version) => {
      const zk = await open(server)
      expect(await errorOf(zk.delete('/a', { version }))).toMatchObject({ code: 'BAD_ARGUMENTS' })
    },
  )

  test('a broken ACL is refused and breaks nothing else', async () => {
    const zk = await open(server)
    const broken = zk.create('/a', '', { acl: [{ perms: 31 } as never] })
    const other = zk.create('/b')
    expect(await errorOf(broken)).toMatchObject({ code: 'BAD_ARGUMENTS', outcome: 'not-applied' })
    await expect(other).resolves.toMatchObject({ path: '/b' })
  })

  test('no password shows up in what is printed of a client or an error', async () => {
    const secret = 'sentinel-of-a-secret'
    const zk = await open(server, { auth: [{ scheme: 'digest', auth: `bob:${secret}` }] })
    const error = await errorOf(zk.getData('/missing'))
    const printed = [zk, error, zk.session].map((one) =>
      inspect(one, { depth: 20, showHidden: true }),
    )
    expect(printed.join('\n')).not.toContain(secret)
  })

  test('isZooKeeperError tells codes apart', async () => {
    const zk = await open(server)
    const error = await errorOf(zk.delete('/missing'))
    const codes: ErrorCode[] = ['NO_NODE', 'NOT_EMPTY']
    expect(codes.map((code) => isZooKeeperError(error, code))).toEqual([true, false])
    expect(isZooKeeperError(new Error('NO_NODE'))).toBe(false)
  })
})
