import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { Lock } from '../../src/recipes/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { errorOf, openAt, testSince } from '../support/servers.ts'
import { watchCount } from '../support/watch-count.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

// Servers of their own: what they count must be our watches alone.
const shared = inject('zookeeper')
const ours: [string, string, () => Promise<TestServer | ZooKeeperServer>][] = [
  ['in-process server', '3.9.0', () => TestServer.start()],
]
if (shared.available) {
  ours.push([`Apache ZooKeeper ${shared.version}`, shared.version, () => ZooKeeperServer.start()])
} else {
  console.warn(`skipped: removing watches on a real server: ${shared.reason}`)
}

describe.each(ours)('the watches of a %s', (_, version, start) => {
  const since36 = testSince({ version }, '3.6')
  let server: TestServer | ZooKeeperServer
  let nextName = 0

  beforeAll(async () => {
    server = await start()
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  async function opened(): Promise<{ zk: ZooKeeper; path: string; events: WatchEvent[] }> {
    const zk = await openAt(server.connectString)
    const { path } = await zk.create(`/n${nextName++}`)
    return { zk, path, events: [] }
  }

  /** What the server counts once it has seen all requests that were made. */
  async function count(zk: ZooKeeper): Promise<number> {
    await zk.sync()
    await zk.sync() // behind what the answers before the first one led to
    await zk.sync()
    return watchCount(server.port)
  }

  test('R9: a one-shot callback that its signal takes back', async () => {
    const { zk, path, events } = await opened()
    const abort = new AbortController()
    const options = { watch: (event: WatchEvent) => events.push(event), watchSignal: abort.signal }
    await zk.getData(path, options)
    await zk.exists(`${path}-missing`, options)
    await zk.getChildren(path, options)
    expect(await count(zk)).toBe(3)
    abort.abort()
    expect(await count(zk)).toBe(0)
    await zk.setData(path, 'x')
    await zk.create(`${path}-missing`)
    expect(events).toEqual([])
  })

  since36('an iterator that is left, of either mode', async () => {
    const { zk, path } = await opened()
    const [flat, deep] = [zk.watch(path), zk.watch(`${path}-other`, { recursive: true })]
    await Promise.all([flat.ready, deep.ready])
    expect(await count(zk)).toBeGreaterThan(1)
    await Promise.all([flat.return(), deep.return()])
    expect(await count(zk)).toBe(0)
  })

  since36('an iterator that is left before the server has set the watch', async () => {
    const { zk, path } = await opened()
    const watch = zk.watch(path)
    await watch.return()
    await watch.ready
    expect(await count(zk)).toBe(0)
  })

  test('observe() that is left', async () => {
    const { zk, path } = await opened()
    for await (const value of zk.observe(path)) {
      expect(value).not.toBeNull()
      break
    }
    expect(await count(zk)).toBe(0)
  })

  since36('those of a view that is closed, and no others', async () => {
    const { zk, path, events } = await opened()
    const view = zk.chroot(path)
    await view.getData('/', { watch: (event) => events.push(event) })
    await view.watch('/').ready
    await zk.getChildren(path, { watch: () => undefined })
    await view.close()
    expect(events).toMatchObject([{ type: 'closed', path: '/' }])
    await zk.create(`${path}/b`) // fires what is left
    expect(await count(zk)).toBe(0)
  })

  test('those that one view removes, and not those of another', async () => {
    const { zk, path, events } = await opened()
    const view = zk.chroot(path)
    await zk.getData(path, { watch: (event) => events.push(event) })
    expect(await errorOf(view.removeWatches('/'))).toMatchObject({ code: 'NO_WATCHER', path: '/' })
    const watch = () => undefined
    await view.getData('/', { watch })
    await view.removeWatches('/', { watcher: watch })
    await zk.setData(path, 'x')
    expect(events).toMatchObject([{ type: 'NodeDataChanged', path }])
  })

  since36('removeWatches: all of a path, and whoever waits is told', async () => {
    const { zk, path, events } = await opened()
    const watch = zk.watch(path)
    await watch.ready
    await zk.getData(path, { watch: (event) => events.push(event) })
    await zk.getChildren(path, { watch: (event) => events.push(event) })
    await zk.removeWatches(path)
    expect(events).toMatchObject([
      { type: 'removed', path },
      { type: 'removed', path },
    ])
    expect(await watch.next()).toMatchObject({ done: true })
    expect(await watchCount(server.port)).toBe(0)
    expect(await errorOf(zk.removeWatches(path))).toMatchObject({ code: 'NO_WATCHER', path })
  })

  test('R55: removeWatches: by kind and by callback, and all others stay', async () => {
    const { zk, path } = await opened()
    const heard: string[] = []
    const watcher = (name: string) => (event: WatchEvent) => heard.push(`${name}: ${event.type}`)
    const [one, two, three] = [watcher('one'), watcher('two'), watcher('three')]
    await zk.getData(path, { watch: one })
    await zk.exists(path, { watch: two })
    await zk.getChildren(path, { watch: three })
    await zk.removeWatches(path, { kind: 'children' })
    expect(heard).toEqual(['three: removed'])
    expect(await watchCount(server.port)).toBe(1)
    await zk.removeWatches(path, { kind: 'data', watcher: one })
    expect(await watchCount(server.port)).toBe(1)
    await zk.setData(path, 'x')
    expect(heard).toEqual(['three: removed', 'one: removed', 'two: NodeDataChanged'])
  })

  test('a lock that is waited for in vain leaves no watch behind', async () => {
    const { zk, path } = await opened()
    const other = await openAt(server.connectString)
    const held = await new Lock(other, path).acquire()
    const before = await count(zk)
    const error = await errorOf(new Lock(zk, path).acquire({ timeout: 50 }))
    expect(error).toMatchObject({ code: 'TIMEOUT' })
    await expect.poll(() => count(zk)).toBe(before)
    await held.release()
  })
})
