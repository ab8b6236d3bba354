import { expect, test } from 'vitest'
import { ANYONE_ID_UNSAFE, Perms, type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { describeServers, errorOf, newChroot, open, openAt, testSince } from '../support/servers.ts'

const unreadable = [{ perms: Perms.ALL & ~Perms.READ, id: ANYONE_ID_UNSAFE }]

describeServers('multiRead', (server) => {
  const since36 = testSince(server, '3.6')

  since36('gives each read its result or its error', async () => {
    const zk = await open(server)
    await zk.create('/a/b', 'x', { parents: true })
    await zk.create('/shut', 'secret', { acl: unreadable })
    const [data, names, missing, shut] = await zk
      .multiRead()
      .getData('/a/b')
      .getChildren('/a')
      .getData('/nope')
      .getChildren('/shut')
      .read()
    expect(data).toEqual({ status: 'fulfilled', value: await zk.getData('/a/b') })
    expect(names).toEqual({ status: 'fulfilled', value: { children: ['b'] } })
    expect(missing).toMatchObject({
      status: 'rejected',
      reason: { code: 'NO_NODE', errno: -101, op: 'getData', path: '/nope' },
    })
    expect(shut).toMatchObject({
      status: 'rejected',
      reason: { code: 'NO_AUTH', op: 'getChildren', path: '/shut' },
    })
  })

  since36('of one read that fails does not fail', async () => {
    const zk = await open(server)
    const results = await zk.multiRead().getData('/nope').read()
    expect(results).toMatchObject([{ status: 'rejected', reason: { code: 'NO_NODE' } }])
  })

  since36('can be read behind a sync, and again', async () => {
    const zk = await open(server)
    const reads = zk.multiRead().getData('/')
    const first = await reads.read({ sync: true })
    await zk.setData('/', 'later')
    expect(first).toMatchObject([{ value: { data: Buffer.alloc(0) } }])
    expect(await reads.read()).toMatchObject([{ value: { data: Buffer.from('later') } }])
  })

  test('of nothing resolves without asking a server', async () => {
    const zk = await open(server)
    await zk.close()
    expect(await zk.multiRead().read()).toEqual([])
  })

  test('refuses a bad path where it is given', async () => {
    const zk = await open(server)
    expect(() => zk.multiRead().getData('relative')).toThrow(/starts with/)
  })

  since36('that is too large fails alone', async () => {
    const zk = await open(server, { frameInBytesMax: 1_000 })
    await zk.create('/large', Buffer.alloc(600))
    const error = await errorOf(zk.multiRead().getData('/large').getData('/large').read())
    expect(error).toMatchObject({ code: 'REPLY_TOO_LARGE', op: 'multiRead' })
    expect(await zk.exists('/large')).not.toBeNull()
  })
})

describeServers('getEphemerals', (server) => {
  const since36 = testSince(server, '3.6')

  async function withEphemerals(zk: ZooKeeper) {
    await zk.create('/a')
    const mode = 'ephemeral'
    for (const path of ['/a/1', '/a/2', '/ab', '/b']) await zk.create(path, '', { mode })
    await zk.create('/a/persistent')
    return async (path?: string) => [...(await zk.getEphemerals(path))].sort()
  }

  since36(
    'R78: tells those of this session at a path and below, not at its namesakes',
    async () => {
      const chroot = await newChroot(server)
      const zk = await openAt(server.connectString + chroot)
      const other = await openAt(server.connectString + chroot)
      await other.create('/others', '', { mode: 'ephemeral' })
      const ephemerals = await withEphemerals(zk)
      expect(await ephemerals()).toEqual(['/a/1', '/a/2', '/ab', '/b'])
      expect(await ephemerals('/')).toEqual(['/a/1', '/a/2', '/ab', '/b'])
      expect(await ephemerals('/a')).toEqual(['/a/1', '/a/2'])
      expect(await ephemerals('/a/1')).toEqual(['/a/1'])
      expect(await ephemerals('/nope')).toEqual([])
      expect(await other.getEphemerals()).toEqual(['/others'])
    },
  )

  since36('knows no path outside of a chroot', async () => {
    const zk = await openAt(server.connectString + (await newChroot(server)))
    await withEphemerals(zk)
    expect([...(await zk.chroot('/a').getEphemerals())].sort()).toEqual(['/1', '/2'])
    expect(await zk.chroot('/a').getEphemerals('/2')).toEqual(['/2'])
    expect(await zk.chroot('/b').getEphemerals()).toEqual(['/'])
  })

  test('refuses a bad path', async () => {
    const zk = await open(server)
    expect(await errorOf(zk.getEphemerals('a'))).toMatchObject({ code: 'BAD_ARGUMENTS' })
  })
})

describeServers('getAllChildrenNumber', (server) => {
  const since36 = testSince(server, '3.6')

  since36('counts what is below, at any depth', async () => {
    const zk = await open(server)
    await zk.create('/a/b/c', '', { parents: true })
    await zk.create('/ab')
    expect(await zk.getAllChildrenNumber('/a')).toBe(2)
    expect(await zk.getAllChildrenNumber('/a', { sync: true })).toBe(2)
    expect(await zk.getAllChildrenNumber('/')).toBe(4)
    expect(await zk.getAllChildrenNumber('/ab')).toBe(0)
    const error = await errorOf(zk.getAllChildrenNumber('/nope'))
    expect(error).toMatchObject({ code: 'NO_NODE', op: 'getAllChildrenNumber', path: '/nope' })
  })
})

describeServers('whoAmI', (server) => {
  testSince(server, '3.7')('R78: tells every identity, and of digest the user alone', async () => {
    const zk = await open(server)
    expect(await zk.whoAmI()).toEqual([{ authScheme: 'ip', user: '127.0.0.1' }])
    await zk.addAuth('digest', 'bob:secret')
    expect(await zk.whoAmI()).toContainEqual({ authScheme: 'digest', user: 'bob' })
  })
})

describeServers('check', (server) => {
  test('resolves at the version, and changes nothing', async () => {
    const zk = await open(server)
    await zk.create('/a')
    await zk.setData('/a', 'x')
    const before = await zk.exists('/a')
    await zk.check('/a', 1)
    await zk.check('/a', -1)
    expect(await zk.exists('/a')).toEqual(before)
  })

  test.each([
    ['BAD_VERSION', '/a', 7],
    ['NO_NODE', '/nope', -1],
    ['BAD_ARGUMENTS', 'relative', 0],
    ['BAD_ARGUMENTS', '/a', 0.5],
  ])('rejects with %s for %s at %d', async (code, path, version) => {
    const zk = await open(server)
    await zk.create('/a')
    const error = await errorOf(zk.check(path, version))
    expect(error).toMatchObject({ code, outcome: 'not-applied' })
    if (code !== 'BAD_ARGUMENTS') expect(error).toMatchObject({ op: 'check', path })
  })

  test('is abandoned under its own name and path', async () => {
    const zk = await open(server)
    const error = await errorOf(zk.check('/a', 0, { signal: AbortSignal.abort() }))
    expect(error).toMatchObject({ code: 'ABORTED', op: 'check', path: '/a' })
  })
})

describeServers('a read behind a sync', (server) => {
  test('R69: costs one turn, and gives what the read alone gives', async () => {
    const zk = await open(server)
    await zk.create('/a', 'x')
    const options = { sync: true }
    expect(await zk.getData('/a', options)).toEqual(await zk.getData('/a'))
    expect(await zk.exists('/a', options)).toEqual(await zk.exists('/a'))
    expect(await zk.exists('/nope', options)).toBeNull()
    expect(await zk.getChildren('/', options)).toEqual(await zk.getChildren('/'))
    expect(await zk.getACL('/a', options)).toEqual(await zk.getACL('/a'))
    expect(await errorOf(zk.getData('/nope', options))).toMatchObject({ code: 'NO_NODE' })
  })

  test('sees what another client has written before', async () => {
    const chroot = await newChroot(server)
    const writer = await openAt(server.connectString + chroot)
    const reader = await openAt(server.connectString + chroot)
    await writer.create('/a', '0')
    for (let i = 1; i <= 50; i++) {
      await writer.setData('/a', String(i))
      const { data } = await reader.getData('/a', { sync: true })
      expect(data?.toString()).toBe(String(i))
    }
  })

  test('sets its watch', async () => {
    const zk = await open(server)
    const events: WatchEvent[] = []
    await zk.getData('/', { sync: true, watch: (event) => events.push(event) })
    await zk.setData('/', 'x')
    expect(events).toMatchObject([{ type: 'NodeDataChanged', path: '/' }])
  })

  test('is aborted as a whole', async () => {
    const zk = await open(server)
    const abort = new AbortController()
    const read = zk.getData('/', { sync: true, signal: abort.signal })
    abort.abort()
    expect(await errorOf(read)).toMatchObject({ code: 'ABORTED', outcome: 'not-applied' })
  })
})

describeServers('the configuration of the ensemble', (server) => {
  test('R32: is read at its absolute path, whatever the chroot', async () => {
    const zk = await open(server)
    const { members, version, text, stat } = await zk.getConfig()
    expect({ members, version, text }).toEqual({ members: [], version: 0n, text: '' })
    expect(stat.czxid).toBe(0n)
    expect(await zk.chroot('/app').getConfig({ sync: true })).toMatchObject({ version: 0n })
  })

  test('cannot be changed unless the servers allow it', async () => {
    const zk = await open(server)
    const error = await errorOf(zk.reconfig({ leaving: [3] }))
    expect(error).toMatchObject({ code: 'RECONFIG_DISABLED', errno: -123, op: 'reconfig' })
    expect(zk.state).toBe('connected')
  })

  test.each([
    ['no change', {}],
    ['steps and a whole at once', { leaving: [1], members: ['server.1=a:1:2;3'] }],
    ['a line that is none', { joining: ['zk4:2888:3888'] }],
    ['two lines in one', { members: ['server.1=a:1:2;3,server.2=b:1:2;3'] }],
    ['an id that is none', { leaving: [1.5] }],
    ['a version that is no bigint', { leaving: [1], fromConfig: 5 as never }],
  ])('is not changed by %s', async (_, change) => {
    const zk = await open(server)
    expect(await errorOf(zk.reconfig(change))).toMatchObject({ code: 'BAD_ARGUMENTS' })
  })
})
