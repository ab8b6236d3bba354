import { expect, test } from 'vitest'
import { AddWatchMode, operations, Perms, WatcherType } from '../../../src/protocol/index.ts'
import { TestServer } from '../../../src/testing/index.ts'
import { openAcl, RawClient } from './raw-client.ts'

/** A client that asks and, on another connection, one that changes things. */
async function pair() {
  const server = await TestServer.start()
  const watcher = await RawClient.connect(server.port)
  const writer = await RawClient.connect(server.port)
  return { server, watcher, ...writesOf(writer), writer }
}

function writesOf(client: RawClient) {
  return {
    create: (path: string, acl = openAcl) =>
      client.call(operations.create, { path, data: null, acl, flags: 0 }),
    remove: (path: string) => client.call(operations.delete, { path, version: -1 }),
    change: (path: string) => client.call(operations.setData, { path, data: null, version: -1 }),
  }
}

/** Everything the server has told so far: a reply proves that nothing is on its way any more. */
async function told(client: RawClient): Promise<string[]> {
  await client.call(operations.sync, { path: '/' })
  return client.events.splice(0).map(({ type, path }) => `${type} ${path}`)
}

const noTypes = { dataWatches: [], existWatches: [], childWatches: [] }
const noWatches = { ...noTypes, persistentWatches: [], persistentRecursiveWatches: [] }

test('watches: exists waits for a znode that is not there, once', async () => {
  const { server, watcher, create, change } = await pair()
  await using _ = server

  await watcher.call(operations.exists, { path: '/a', watch: true })
  expect(server.watches.data).toEqual([{ path: '/a', sessionId: watcher.sessionId }])
  const { zxid } = await create('/a')
  await change('/a')

  expect(await watcher.takeEvent()).toEqual({ type: 'NodeCreated', path: '/a', zxid })
  expect(await told(watcher)).toEqual(['NodeCreated /a'])
})

test('watches: getData leaves a watch only if there is data', async () => {
  const { server, watcher, create, change } = await pair()
  await using _ = server

  await watcher.call(operations.getData, { path: '/a', watch: true })
  expect(server.watches.data).toEqual([])

  await create('/a')
  await watcher.call(operations.getData, { path: '/a', watch: true })
  await create('/a/child')
  await change('/a')
  expect(await told(watcher)).toEqual(['NodeDataChanged /a'])
})

test('watches: getChildren hears of children, not of data', async () => {
  const { server, watcher, create, change, remove } = await pair()
  await using _ = server
  await create('/a')

  await watcher.call(operations.getChildren2, { path: '/a', watch: true })
  await change('/a')
  await create('/a/1')
  await change('/a/1')
  expect(await told(watcher)).toEqual(['NodeChildrenChanged /a'])

  await watcher.call(operations.getChildren, { path: '/a', watch: true })
  await remove('/a/1')
  expect(await told(watcher)).toEqual(['NodeChildrenChanged /a'])
})

test('watches: a deletion is told once to a connection that watches data and children', async () => {
  const { server, watcher, create, remove } = await pair()
  await using _ = server
  await create('/a')
  await watcher.call(operations.getData, { path: '/a', watch: true })
  await watcher.call(operations.getChildren, { path: '/a', watch: true })
  await watcher.call(operations.getChildren, { path: '/', watch: true })

  await remove('/a')

  expect(await told(watcher)).toEqual(['NodeDeleted /a', 'NodeChildrenChanged /'])
  expect(server.watches).toMatchObject({ data: [], child: [] })
})

test('watches: asking twice gives one event', async () => {
  const { server, watcher, create } = await pair()
  await using _ = server
  await watcher.call(operations.exists, { path: '/a', watch: true })
  await watcher.call(operations.exists, { path: '/a', watch: true })

  await create('/a')

  expect(await told(watcher)).toEqual(['NodeCreated /a'])
})

test('watches: the event comes before the reply of the write that caused it', async () => {
  await using server = await TestServer.start()
  await using client = await RawClient.connect(server.port)
  const { create } = writesOf(client)
  await client.call(operations.exists, { path: '/a', watch: true })
  await client.call(operations.getChildren, { path: '/', watch: true })

  await create('/a')

  expect(client.order.slice(2)).toEqual(['NodeCreated /a', 'NodeChildrenChanged /', 'reply 3'])
})

test('watches: failed writes and changes of ACLs are told to nobody', async () => {
  const { server, watcher, writer, create } = await pair()
  await using _ = server
  await create('/a')
  await watcher.call(operations.getData, { path: '/a', watch: true })
  await watcher.call(operations.getChildren, { path: '/', watch: true })

  await create('/a')
  await writer.call(operations.delete, { path: '/a', version: 9 })
  await writer.call(operations.setACL, { path: '/a', acl: openAcl, version: -1 })

  expect(await told(watcher)).toEqual([])
  expect(server.watches.data).toHaveLength(1)
})

test('watches: a persistent watch hears everything about its znode, and stays', async () => {
  const { server, watcher, create, change, remove } = await pair()
  await using _ = server
  await watcher.call(operations.addWatch, { path: '/p', mode: AddWatchMode.persistent })

  await create('/p')
  await change('/p')
  await create('/p/1')
  await change('/p/1')
  await remove('/p/1')
  await remove('/p')

  expect(await told(watcher)).toEqual([
    'NodeCreated /p',
    'NodeDataChanged /p',
    'NodeChildrenChanged /p',
    'NodeChildrenChanged /p',
    'NodeDeleted /p',
  ])
  expect(server.watches.persistent).toEqual([{ path: '/p', sessionId: watcher.sessionId }])
})

test('watches: a recursive watch hears of all descendants, but no child events', async () => {
  const { server, watcher, create, change, remove } = await pair()
  await using _ = server
  const mode = AddWatchMode['persistent-recursive']
  await watcher.call(operations.addWatch, { path: '/r', mode })

  await create('/r')
  await create('/r/1')
  await change('/r/1')
  await remove('/r/1')
  await create('/rr')

  expect(await told(watcher)).toEqual([
    'NodeCreated /r',
    'NodeCreated /r/1',
    'NodeDataChanged /r/1',
    'NodeDeleted /r/1',
  ])
  expect(server.watches.persistentRecursive).toHaveLength(1)
})

test('watches: a recursive watch on the root hears of everything', async () => {
  const { server, watcher, create } = await pair()
  await using _ = server
  const mode = AddWatchMode['persistent-recursive']
  await watcher.call(operations.addWatch, { path: '/', mode })

  await create('/a')
  await create('/a/b')

  expect(await told(watcher)).toEqual(['NodeCreated /a', 'NodeCreated /a/b'])
})

// Since 3.9 the modes are kept apart; before, each replaced the one before it.
test('watches: one-shot, persistent and recursive watches on one path do not disturb', async () => {
  const { server, watcher, create, change } = await pair()
  await using _ = server
  await create('/a')
  await watcher.call(operations.addWatch, { path: '/a', mode: AddWatchMode.persistent })
  const mode = AddWatchMode['persistent-recursive']
  await watcher.call(operations.addWatch, { path: '/a', mode })
  await watcher.call(operations.getData, { path: '/a', watch: true })

  await change('/a')
  await change('/a')

  expect(await told(watcher)).toEqual(['NodeDataChanged /a', 'NodeDataChanged /a'])
  expect(server.watches).toMatchObject({ data: [], persistent: [{}], persistentRecursive: [{}] })
})

test('watches: an unknown mode is answered -5', async () => {
  const { server, watcher } = await pair()
  await using _ = server

  expect(await watcher.call(operations.addWatch, { path: '/', mode: 2 })).toMatchObject({ err: -5 })
})

test('watches: checkWatches and removeWatches tell the kinds apart', async () => {
  const { server, watcher, create, change } = await pair()
  await using _ = server
  await create('/a')
  await watcher.call(operations.getData, { path: '/a', watch: true })
  await watcher.call(operations.addWatch, { path: '/a', mode: AddWatchMode.persistent })
  const check = async (type: number) =>
    (await watcher.call(operations.checkWatches, { path: '/a', type })).err
  const remove = async (type: number) =>
    (await watcher.call(operations.removeWatches, { path: '/a', type })).err

  expect(await check(WatcherType.Data)).toBe(0)
  expect(await check(WatcherType.Children)).toBe(-121)
  expect(await check(WatcherType.Persistent)).toBe(0)
  expect(await check(WatcherType.PersistentRecursive)).toBe(-121)
  expect(await check(0)).toBe(-5)

  expect(await remove(WatcherType.Children)).toBe(-121)
  expect(await remove(WatcherType.Data)).toBe(0)
  expect(await check(WatcherType.Any)).toBe(0)
  expect(await remove(WatcherType.Any)).toBe(0)
  expect(await remove(WatcherType.Any)).toBe(-121)
  expect(await remove(9)).toBe(-5)

  await change('/a')
  expect(await told(watcher)).toEqual([])
})

// What one may not read, one may not hear of: the watch is used up all the same.
test('watches: events are kept from those who may not read the znode', async () => {
  const { server, watcher, create, remove } = await pair()
  await using _ = server
  const secret = [{ perms: Perms.ALL - Perms.READ, id: { scheme: 'world', id: 'anyone' } }]
  await watcher.call(operations.exists, { path: '/secret', watch: true })
  await watcher.call(operations.getChildren, { path: '/', watch: true })

  await create('/secret', secret)
  expect(await told(watcher)).toEqual(['NodeChildrenChanged /'])
  expect(server.watches.data).toEqual([])

  await remove('/secret')
  expect(await told(watcher)).toEqual([])
})

test('watches: they die with their connection', async () => {
  const { server, watcher, create } = await pair()
  await using _ = server
  await watcher.call(operations.exists, { path: '/a', watch: true })
  const mode = AddWatchMode['persistent-recursive']
  await watcher.call(operations.addWatch, { path: '/', mode })

  server.cut(watcher.sessionId)

  expect(server.watches).toEqual({ data: [], child: [], persistent: [], persistentRecursive: [] })
  expect(await create('/a')).toMatchObject({ err: 0 })
})

test('setWatches: what was missed is told before the reply, the rest is armed', async () => {
  const { server, watcher, create, change, remove } = await pair()
  await using _ = server
  for (const path of ['/changed', '/same', '/deleted', '/parent']) await create(path)
  const { zxid } = await watcher.call(operations.sync, { path: '/' })
  await change('/changed')
  await remove('/deleted')
  await create('/created')
  await create('/parent/child')

  const xid = watcher.request(operations.setWatches, {
    relativeZxid: zxid,
    dataWatches: ['/changed', '/same', '/deleted'],
    existWatches: ['/created', '/later'],
    childWatches: ['/parent', '/same', '/deleted'],
  })
  await watcher.takeReply(operations.setWatches)

  expect(watcher.order.slice(1)).toEqual([
    'NodeDataChanged /changed',
    'NodeDeleted /deleted',
    'NodeCreated /created',
    'NodeChildrenChanged /parent',
    'NodeDeleted /deleted',
    `reply ${xid}`,
  ])
  expect(watcher.events.every((event) => event.zxid === -1n)).toBe(true)
  expect(server.watches.data.map(({ path }) => path)).toEqual(['/same', '/later'])
  expect(server.watches.child.map(({ path }) => path)).toEqual(['/same'])
})

test('setWatches2: persistent watches are armed without catching up', async () => {
  const { server, watcher, create, change } = await pair()
  await using _ = server
  await create('/a')
  await change('/a')

  const xid = -8
  const reply = await watcher.call(
    operations.setWatches2,
    {
      ...noWatches,
      relativeZxid: 0n,
      persistentWatches: ['/a'],
      persistentRecursiveWatches: ['/b'],
    },
    xid,
  )
  expect(reply).toMatchObject({ xid, err: 0 })
  expect(await told(watcher)).toEqual([])

  await create('/a/1')
  await create('/b')
  await create('/b/1')
  expect(await told(watcher)).toEqual([
    'NodeChildrenChanged /a',
    'NodeCreated /b',
    'NodeCreated /b/1',
  ])
})
