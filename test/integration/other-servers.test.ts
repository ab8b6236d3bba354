import { describe, expect, onTestFinished, test } from 'vitest'
import { type StateChange, type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { Lock } from '../../src/recipes/index.ts'
import { type ProfileName, TestServer, type TestServerOptions } from '../../src/testing/index.ts'
import { errorOf, openAt } from '../support/servers.ts'

// Real servers of other versions: ZOOWIRE_ZOOKEEPER_VERSION=3.5.10; ClickHouse Keeper is as it was in 2024.

async function opened(profile: ProfileName, options: TestServerOptions = {}) {
  const server = await TestServer.start({ profile, ...options })
  onTestFinished(() => server.close())
  const zk = await openAt(server.connectString, { backoff: { msMin: 1, msMax: 10 } })
  return { server, zk }
}

/** How often the connection was lost from now on. */
function countLosses(zk: ZooKeeper): () => number {
  const changes: StateChange[] = []
  void (async () => {
    for await (const change of zk.states()) changes.push(change)
  })()
  return () => changes.filter(({ reason }) => reason === 'disconnected').length
}

describe('a server before 3.6', () => {
  test('makes persistent watches fail with the version that has them, and costs one connection', async () => {
    const { zk } = await opened('3.5')
    await zk.create('/a')
    const losses = countLosses(zk)
    const events: WatchEvent[] = []
    await zk.getData('/a', { watch: (event) => events.push(event) })
    for (let i = 0; i < 5; i++) {
      const error = await errorOf(zk.watch('/a').next())
      expect(error).toMatchObject({ code: 'UNIMPLEMENTED', op: 'addWatch', since: '3.6' })
    }
    await zk.setData('/a', 'x')
    expect(events).toMatchObject([{ type: 'NodeDataChanged', path: '/a' }])
    expect(losses()).toBe(1)
  })

  test.each(['3.5', '3.8'] as const)(
    'that is %s cannot say whether it has persistent watches',
    async (profile) => {
      const { zk } = await opened(profile)
      await zk.getChildren('/', { watch() {} })
      expect(await zk.checkWatches('/', { kind: 'children' })).toBe(true)
      const error = await errorOf(zk.checkWatches('/', { kind: 'persistent' }))
      expect(error).toMatchObject({ code: 'UNIMPLEMENTED', op: 'checkWatches', since: '3.9' })
    },
  )

  test('lets everything else work', async () => {
    const { zk } = await opened('3.5')
    const lease = await new Lock(zk, '/lock').acquire()
    expect(lease.isHeld).toBe(true)
    await lease.release()
    const [created] = await zk.multi().create('/b', 'x').commit()
    expect(created).toEqual({ path: '/b', stat: null }) // as until 3.7.2, 3.8.2 and 3.9
    const values = zk.observe('/b')
    expect((await values.next()).value?.data?.toString()).toBe('x')
    const next = values.next()
    await zk.setData('/b', 'y')
    expect((await next).value?.data?.toString()).toBe('y')
    await values.return(undefined)
  })

  test('ends persistent watches that were set on a newer server', async () => {
    const newer = await TestServer.start()
    onTestFinished(() => newer.close())
    const zk = await openAt(newer.connectString, { backoff: { msMin: 1, msMax: 10 } })
    const watch = zk.watch('/a')
    await watch.ready
    const { port } = newer
    await newer.close()
    await using older = await TestServer.start({ profile: '3.5', port })
    const other = await openAt(older.connectString)
    for (let i = 0; i < 5; i++) await other.create(`/${i}`) // or it is behind what the client saw
    expect(await watch.next()).toMatchObject({ value: { type: 'resync' } })
    expect(await errorOf(watch.next())).toMatchObject({ code: 'UNIMPLEMENTED', since: '3.6' })
    expect(await zk.exists('/')).not.toBeNull()
  })
})

describe('a ClickHouse Keeper', () => {
  test('creates, though it has no create2', async () => {
    const { zk } = await opened('clickhouse-keeper')
    const create = async () => zk.create('/a', 'x')
    let created = null
    for (let i = 0; created === null && i < 5; i++) created = await create().catch(() => null)
    expect(created).toMatchObject({ path: '/a', stat: { dataLength: 1 } })
    const losses = countLosses(zk)
    expect(await zk.create('/b-', '', { mode: 'persistent-sequential' })).toMatchObject({
      path: '/b-0000000001',
    })
    expect(losses()).toBe(0)
  })

  test('takes part in transactions that create, without their Stats', async () => {
    const { server, zk } = await opened('clickhouse-keeper')
    const data = Buffer.from('before')
    const commit = () => zk.multi().create('/a', data).setData('/', 'x').commit()
    for (let i = 0; i < 3; i++) {
      expect(await errorOf(commit())).toMatchObject({
        code: 'CONNECTION_LOSS',
        op: 'multi',
        outcome: 'unknown',
      })
    }
    const losses = countLosses(zk)
    const committed = commit()
    data.write('after!')
    const [created, stat] = await committed
    expect(created).toEqual({ path: '/a', stat: null })
    expect(stat).toMatchObject({ dataLength: 1 })
    expect(server.get('/a')?.data?.toString()).toBe('before')
    const refused = { code: 'NODE_EXISTS', index: 1, path: '/a' }
    expect(await errorOf(zk.multi().create('/b').create('/a').commit())).toMatchObject(refused)
    expect(losses()).toBe(0)
  })

  test('takes transactions at once if create2 is known to be none of its operations', async () => {
    const { zk } = await opened('clickhouse-keeper')
    while ((await zk.create('/a').catch(() => null)) === null);
    const losses = countLosses(zk)
    const [created] = await zk.multi().create('/b', '', { mode: 'ephemeral' }).commit()
    expect(created).toEqual({ path: '/b', stat: null })
    expect(losses()).toBe(0)
  })

  test('has no containers in transactions, and says so in the end', async () => {
    const { zk } = await opened('clickhouse-keeper')
    const commit = () => zk.multi().create('/a', '', { mode: 'container' }).create('/b').commit()
    for (let i = 0; i < 3; i++) expect(await errorOf(commit())).toMatchObject({ op: 'multi' })
    const error = await errorOf(commit())
    expect(error).toMatchObject({ code: 'UNIMPLEMENTED', since: '3.5', outcome: 'not-applied' })
  })

  test.each([['container'], [true]] as const)(
    'gets persistent ancestors where parents: %s asks for containers',
    async (parents) => {
      const { server, zk } = await opened('clickhouse-keeper')
      while ((await zk.create('/a').catch(() => null)) === null);
      const created = await zk.create('/x/y/z', 'x', { parents })
      expect(created).toMatchObject({ path: '/x/y/z', stat: { dataLength: 1 } })
      expect(server.get('/x/y')?.stat).toMatchObject({ ephemeralOwner: 0n, numChildren: 1 })
      const losses = countLosses(zk)
      await zk.create('/v/w', '', { parents })
      await zk.multi().create('/t/u', '', { parents }).commit()
      expect(losses()).toBe(0)
    },
  )

  test('says that it has created what it cannot read back', async () => {
    const { server, zk } = await opened('clickhouse-keeper')
    while ((await zk.create('/a').catch(() => null)) === null);
    server.faults.add({ do: 'fail', operation: 'exists', path: '/b', code: 'NO_AUTH' })
    const error = await errorOf(zk.create('/b'))
    expect(error).toMatchObject({ code: 'NO_AUTH', op: 'create', path: '/b', outcome: 'applied' })
    expect(server.get('/b')).not.toBeNull()
  })

  test('gives another session where one should be resumed, and that is an expiry', async () => {
    const { server, zk } = await opened('clickhouse-keeper')
    const before = zk.session.id
    const events: WatchEvent[] = []
    await zk.exists('/a', { watch: (event) => events.push(event) })
    const expired = (async () => {
      for await (const change of zk.states()) if (change.state === 'expired') return change
      return null
    })()
    server.cut(before)
    expect(await expired).toMatchObject({ sessionId: before })
    await zk.waitFor('connected')
    expect(zk.session.id).not.toBe(before)
    expect(events).toMatchObject([{ type: 'session-expired' }])
  })

  test('watches, and takes watches back as far as it can', async () => {
    const { zk } = await opened('clickhouse-keeper')
    const abort = new AbortController()
    const events: WatchEvent[] = []
    const watch = (event: WatchEvent) => events.push(event)
    await zk.getChildren('/', { watch, watchSignal: abort.signal })
    abort.abort()
    const error = await errorOf(zk.watch('/').next())
    expect(error).toMatchObject({ code: 'UNIMPLEMENTED', since: '3.6' })
    await zk.getData('/', { watch })
    await zk.setData('/', 'x')
    expect(events).toMatchObject([{ type: 'NodeDataChanged' }])
  })
})
