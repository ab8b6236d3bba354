import { expect, test } from 'vitest'
import { type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { Election, Lock } from '../../src/recipes/index.ts'
import {
  describeServers,
  errorOf,
  newChroot,
  open,
  openAt,
  type Server,
  testSince,
} from '../support/servers.ts'

/** A client, and a view of it that has `/app` as its root. */
async function openView(server: Server) {
  const zk = await open(server)
  await zk.create('/app')
  return { zk, app: zk.chroot('/app') }
}

/** A watch callback and the first event it is called with. */
function once() {
  let watch: (event: WatchEvent) => void = () => undefined
  const event = new Promise<WatchEvent>((resolve) => {
    watch = resolve
  })
  return { watch, event }
}

/** Resolves when everything that the server told before it has been delivered. */
const settled = (zk: ZooKeeper) => zk.sync('/')

describeServers('a chroot view', (server) => {
  test('R32: maps the path of every call in and out', async () => {
    const { zk, app } = await openView(server)
    expect((await app.create('/a', 'x')).path).toBe('/a')
    const mode = 'persistent-sequential'
    expect((await app.create('/s-', '', { mode })).path).toBe('/s-0000000001')
    expect((await app.create('/b/c', '', { parents: true })).path).toBe('/b/c')
    expect((await zk.getData('/app/a')).data?.toString()).toBe('x')
    expect([...(await app.getChildren('/')).children].sort()).toEqual(['a', 'b', 's-0000000001'])
    expect((await app.exists('/'))?.numChildren).toBe(3)
    await app.setData('/', 'root')
    expect((await zk.getData('/app')).data?.toString()).toBe('root')
    await app.sync('/a')
    await app.setACL('/a', (await app.getACL('/a')).acl)
    await app.delete('/b/c')
    expect(await zk.exists('/app/b/c')).toBeNull()
  })

  test('maps the paths of a transaction, its results and its error', async () => {
    const { zk, app } = await openView(server)
    const [created, numbered] = await app
      .multi()
      .create('/a')
      .create('/s-', '', { mode: 'persistent-sequential' })
      .setData('/', 'x')
      .commit()
    expect([created.path, numbered.path]).toEqual(['/a', '/s-0000000001'])
    const error = await errorOf(app.multi().check('/a', 0).delete('/nope').commit())
    expect(error).toMatchObject({ code: 'NO_NODE', path: '/nope', index: 1 })
    expect((error as Error).message).not.toContain('/app')
    expect((await zk.getChildren('/app')).children).toHaveLength(2)
  })

  test('maps the paths of errors', async () => {
    const { app } = await openView(server)
    expect(await errorOf(app.getData('/nope'))).toMatchObject({ code: 'NO_NODE', path: '/nope' })
    const missing = app.chroot('/not/there')
    expect(await errorOf(missing.create('/a'))).toMatchObject({ code: 'NO_NODE', path: '/a' })
    expect(await errorOf(missing.getData('/'))).toMatchObject({ code: 'NO_NODE', path: '/' })
  })

  testSince(server, '3.6')('maps the paths of watches, also on its root', async () => {
    const { zk, app } = await openView(server)
    const [data, child, exist] = [once(), once(), once()]
    await app.getData('/', { watch: data.watch })
    await app.getChildren('/', { watch: child.watch })
    await app.exists('/a', { watch: exist.watch })
    const all = app.watch('/', { recursive: true })
    await all.ready
    await zk.setData('/app', 'x')
    await zk.create('/app/a')
    expect(await data.event).toMatchObject({ type: 'NodeDataChanged', path: '/' })
    expect(await child.event).toMatchObject({ type: 'NodeChildrenChanged', path: '/' })
    expect(await exist.event).toMatchObject({ type: 'NodeCreated', path: '/a' })
    const events = [(await all.next()).value, (await all.next()).value]
    expect(events).toMatchObject([
      { type: 'NodeDataChanged', path: '/' },
      { type: 'NodeCreated', path: '/a' },
    ])
  })

  testSince(server, '3.6')('R32: hears nothing of a sibling whose name begins alike', async () => {
    const { zk, app } = await openView(server)
    const all = app.watch('/', { recursive: true })
    await all.ready
    await zk.create('/apple')
    await zk.create('/app/a')
    expect((await all.next()).value).toMatchObject({ type: 'NodeCreated', path: '/a' })
  })

  test('of a view, and of a client that has a chroot itself, is below both', async () => {
    const { zk, app } = await openView(server)
    await app.create('/b')
    const nested = app.chroot('/b')
    expect((await nested.create('/c')).path).toBe('/c')
    expect(await zk.exists('/app/b/c')).not.toBeNull()
    const event = once()
    await nested.exists('/c', { watch: event.watch })
    await zk.delete('/app/b/c')
    expect(await event.event).toMatchObject({ type: 'NodeDeleted', path: '/c' })
  })

  test('of the root has all paths, and an end of its own', async () => {
    const chroot = await newChroot(server)
    const zk = await openAt(server.connectString)
    const same = zk.chroot('/')
    const event = once()
    await same.getData(chroot, { watch: event.watch })
    await same.close()
    expect(await event.event).toMatchObject({ type: 'closed', path: chroot })
    expect(await zk.exists(chroot)).not.toBeNull()
  })

  test('R83: shares the session', async () => {
    const { zk, app } = await openView(server)
    expect(app.session).toEqual(zk.session)
    expect(app.server).toBe(zk.server)
    expect(app.state).toBe('connected')
    await app.waitFor('connected')
    const { stat } = await app.create('/e', '', { mode: 'ephemeral' })
    expect(stat.ephemeralOwner).toBe(zk.session.id)
  })

  test.each(['relative', '/a//b', ''])('refuses the path %j at once', async (path) => {
    const { zk } = await openView(server)
    expect(() => zk.chroot(path)).toThrow(/BAD_ARGUMENTS/)
  })

  test('is a place for recipes', async () => {
    const { zk, app } = await openView(server)
    const lock = new Lock(app, '/lock')
    const held = await lock.acquire()
    expect((await zk.getChildren('/app/lock')).children).toHaveLength(1)
    expect(await new Lock(zk, '/app/lock').tryAcquire()).toBeNull()
    await held.release()
    const terms = new Election(app, '/leader', { id: 'me' }).campaign()
    const { value } = await terms.next()
    expect(value?.signal.aborted).toBe(false)
    expect((await zk.getChildren('/app/leader')).children).toHaveLength(1)
    await terms.return(undefined)
  })
})

describeServers('a chroot view that is closed', (server) => {
  test('takes no further call, while the client and other views go on', async () => {
    const { zk, app } = await openView(server)
    const other = zk.chroot('/app')
    await app.create('/e', '', { mode: 'ephemeral' })
    await app.close()
    await app.close()
    const closed = { code: 'CLOSED', outcome: 'not-applied' }
    expect(await errorOf(app.getData('/'))).toMatchObject({ ...closed, path: '/' })
    expect(await errorOf(app.create('/a'))).toMatchObject(closed)
    expect(await errorOf(app.multi().create('/a').commit())).toMatchObject(closed)
    expect(await errorOf(app.addAuth('digest', 'u:p'))).toMatchObject({ code: 'CLOSED' })
    expect(await errorOf(app.waitFor('connected'))).toMatchObject({ code: 'CLOSED' })
    expect(await errorOf(app.watch('/').ready)).toMatchObject({ code: 'CLOSED' })
    expect(await errorOf(app.chroot('/b').getData('/'))).toMatchObject({ code: 'CLOSED' })
    expect([app.state, zk.state, other.state]).toEqual(['closed', 'connected', 'connected'])
    // The session lives on, and with it what is ephemeral.
    expect(await other.exists('/e')).not.toBeNull()
  })

  test('rejects what is pending, and nothing of others', async () => {
    const { zk, app } = await openView(server)
    const before = app.exists('/')
    const waiting = app.waitFor('lost')
    const ours = zk.exists('/app')
    void app.close()
    expect(await errorOf(before)).toMatchObject({ code: 'CLOSED', outcome: 'not-applied' })
    expect(await errorOf(waiting)).toMatchObject({ code: 'CLOSED' })
    expect(await ours).not.toBeNull()

    const again = zk.chroot('/app')
    const written = again.setData('/', 'x')
    process.nextTick(() => void again.close())
    expect(await errorOf(written)).toMatchObject({ code: 'CLOSED', outcome: 'unknown' })
    await settled(zk)
  })

  testSince(server, '3.6')(
    'ends its iterators, also those of views within, and no others',
    async () => {
      const { zk, app } = await openView(server)
      const ours = zk.watch('/app')
      await ours.ready
      const within = app.chroot('/x')
      const watches = [app.watch('/'), within.watch('/')]
      const values = app.observe('/')
      const states = within.states()
      await Promise.all(watches.map(({ ready }) => ready))
      await values.next()
      const pending = [...watches.map((watch) => watch.next()), values.next()]
      await app.close()
      expect(await Promise.all(pending)).toMatchObject([
        { done: true },
        { done: true },
        { done: true },
      ])
      const told: unknown[] = []
      for await (const { state, reason } of states) told.push([state, reason])
      expect(told).toEqual([['closed', 'close-requested']])
      await zk.setData('/app', 'x')
      expect((await ours.next()).value).toMatchObject({ type: 'NodeDataChanged' })
    },
  )

  test('tells its one-shot watches, once, and no others', async () => {
    const { zk, app } = await openView(server)
    const heard: string[] = []
    const note = (name: string) => ({
      watch: ({ type, path }: WatchEvent) => heard.push(`${name} ${type} ${path}`),
    })
    await zk.getData('/app', note('client'))
    await app.getData('/', note('view'))
    await app.getChildren('/', note('view'))
    await app.exists('/a', note('view'))
    await app.close()
    await settled(zk)
    expect(heard).toEqual(['view closed /', 'view closed /a', 'view closed /'])
    heard.length = 0
    await zk.setData('/app', 'x')
    await zk.create('/app/a')
    await settled(zk)
    expect(heard).toEqual(['client NodeDataChanged /app'])
  })

  testSince(server, '3.6')('is closed by its client', async () => {
    const { zk, app } = await openView(server)
    const watch = app.watch('/')
    await watch.ready
    const event = once()
    await app.getData('/', { watch: event.watch })
    const states = app.states()
    await zk.close()
    expect(await event.event).toMatchObject({ type: 'closed', path: '/' })
    expect(await watch.next()).toMatchObject({ done: true })
    expect(app.state).toBe('closed')
    expect((await states.next()).value).toMatchObject({ state: 'closed', reason: 'close-finished' })
    expect(await errorOf(app.getData('/'))).toMatchObject({ code: 'CLOSED' })
    await app.close()
  })
})

describeServers('a chroot that is missing', (server) => {
  /** A client whose chroot is not there, and a view whose root is not. */
  async function openNowhere() {
    const path = `${await newChroot(server)}/nowhere`
    const client = await openAt(server.connectString + path)
    const view = (await openAt(server.connectString)).chroot(path)
    return [client, view].map((zk) => ({ zk, hint: `the chroot ${path} does not exist` }))
  }

  test('L15: is named by the first call that cannot do without it', async () => {
    for (const { zk, hint } of await openNowhere()) {
      for (const call of [
        zk.getChildren('/'),
        zk.setData('/', 'x'),
        zk.create('/a'),
        zk.create('/n-', '', { mode: 'ephemeral-sequential' }),
        zk.multi().create('/a').create('/a/b').commit(),
      ]) {
        const error = await errorOf(call)
        expect(error).toMatchObject({ code: 'NO_NODE', errno: -101, outcome: 'not-applied' })
        expect((error as Error).message).toContain(hint)
      }
    }
  })

  test('is not blamed where something else may be missing', async () => {
    for (const { zk } of await openNowhere()) {
      for (const call of [zk.getData('/a'), zk.create('/a/b'), zk.multi().delete('/a').commit()]) {
        expect((await errorOf(call)) as Error).toMatchObject({
          code: 'NO_NODE',
          message: expect.stringContaining('the znode does not exist'),
        })
      }
    }
    const zk = await openAt(server.connectString)
    const error = await errorOf(zk.create(`${await newChroot(server)}/a/b`))
    expect(error).toMatchObject({ message: expect.stringContaining('the znode does not exist') })
  })
})
