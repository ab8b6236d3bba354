import { expect, test } from 'vitest'
import { type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { describeServers, errorOf, newChroot, open, openAt, testSince } from '../support/servers.ts'

describeServers('one-shot watches', (server) => {
  test.each<[string, string, (zk: ZooKeeper) => Promise<unknown>, Watching]>([
    ['NodeCreated', '/new', (zk) => zk.create('/new'), (zk, watch) => zk.exists('/new', { watch })],
    [
      'NodeDataChanged',
      '/a',
      (zk) => zk.setData('/a', ''),
      (zk, watch) => zk.exists('/a', { watch }),
    ],
    [
      'NodeDataChanged',
      '/a',
      (zk) => zk.setData('/a', ''),
      (zk, watch) => zk.getData('/a', { watch }),
    ],
    ['NodeDeleted', '/a', (zk) => zk.delete('/a'), (zk, watch) => zk.getData('/a', { watch })],
    ['NodeDeleted', '/a', (zk) => zk.delete('/a'), (zk, watch) => zk.getChildren('/a', { watch })],
    [
      'NodeChildrenChanged',
      '/a',
      (zk) => zk.create('/a/b'),
      (zk, watch) => zk.getChildren('/a', { watch }),
    ],
  ])('%s on %s fires once', async (type, path, change, watching) => {
    const zk = await open(server)
    await zk.create('/a')
    const events: WatchEvent[] = []
    await watching(zk, (event) => events.push(event))
    await change(zk)
    expect(events).toMatchObject([{ type, path }])
    await zk.setData('/a', 'again').catch(() => undefined)
    await zk.sync()
    expect(events).toHaveLength(1)
  })

  test('an event comes before the reply to the write that caused it', async () => {
    const zk = await open(server)
    await zk.create('/a')
    const order: string[] = []
    await zk.getData('/a', { watch: () => order.push('event') })
    await zk.setData('/a', 'x').then(() => order.push('reply'))
    expect(order).toEqual(['event', 'reply'])
  })

  test('a failed read sets no watch', async () => {
    const zk = await open(server)
    const events: WatchEvent[] = []
    await errorOf(zk.getData('/late', { watch: (event) => events.push(event) }))
    await zk.create('/late')
    await zk.sync()
    expect(events).toEqual([])
  })

  test('R52: a callback that throws is logged and harms nobody', async () => {
    const logged: unknown[] = []
    const error = (...line: unknown[]) => logged.push(line)
    const quiet = () => undefined // what else a client reports is not of interest here
    const logger = { debug: quiet, info: quiet, warn: error, error }
    const zk = await open(server, { logger })
    await zk.create('/a')
    const other = new Promise((resolve) => {
      void zk.exists('/a', { watch: resolve })
    })
    const fault = new Error('mine')
    await zk.getData('/a', {
      watch: () => {
        throw fault
      },
    })
    await zk.setData('/a', 'x')
    expect(await other).toMatchObject({ type: 'NodeDataChanged' })
    await expect.poll(() => logged).toEqual([[expect.any(String), fault]])
  })

  test('closing the client tells whoever still waits', async () => {
    const zk = await open(server)
    const events: WatchEvent[] = []
    await zk.exists('/never', { watch: (event) => events.push(event) })
    await zk.close()
    expect(events).toMatchObject([{ type: 'closed', path: '/never' }])
  })
})

describeServers('watch()', (server) => {
  const since36 = testSince(server, '3.6')

  since36(
    'R51: tells every change of a znode, from before its creation to after its deletion',
    async () => {
      const zk = await open(server)
      const watch = zk.watch('/a')
      await watch.ready
      await zk.create('/a')
      await zk.setData('/a', 'x')
      await zk.create('/a/b')
      await zk.delete('/a/b')
      await zk.delete('/a')
      expect(watch.drain().map(({ type }) => type)).toEqual([
        'NodeCreated',
        'NodeDataChanged',
        'NodeChildrenChanged',
        'NodeChildrenChanged',
        'NodeDeleted',
      ])
    },
  )

  since36(
    'R36: recursive: tells the changes of all descendants, without NodeChildrenChanged',
    async () => {
      const zk = await open(server)
      await zk.create('/a')
      const watch = zk.watch('/', { recursive: true })
      await watch.ready
      await zk.create('/a/b')
      await zk.setData('/a/b', 'x')
      await zk.delete('/a/b')
      expect(watch.drain().map(({ type, path }) => `${type} ${path}`)).toEqual([
        'NodeCreated /a/b',
        'NodeDataChanged /a/b',
        'NodeDeleted /a/b',
      ])
    },
  )

  since36('leaving the loop takes the watch back', async () => {
    const zk = await open(server)
    await zk.create('/a')
    const seen: string[] = []
    const watch = zk.watch('/a')
    await watch.ready
    await zk.setData('/a', '1')
    for await (const { type } of watch) {
      seen.push(type)
      break
    }
    await zk.setData('/a', '2')
    expect(seen).toEqual(['NodeDataChanged'])
    expect(await watch.next()).toEqual({ done: true, value: undefined })
  })

  since36('an abort ends it with ABORTED', async () => {
    const zk = await open(server)
    const abort = new AbortController()
    const watch = zk.watch('/a', { signal: abort.signal })
    await watch.ready
    const next = watch.next()
    abort.abort('enough')
    expect(await errorOf(next)).toMatchObject({ code: 'ABORTED', cause: 'enough' })
  })

  since36('R86: close() ends it', async () => {
    const zk = await open(server)
    const watch = zk.watch('/a')
    await watch.ready
    const next = watch.next()
    await zk.close()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  since36('a consumer that is too slow is told so, and memory stays bounded', async () => {
    const zk = await open(server, { watchBufferMax: 3 })
    await zk.create('/a')
    const watch = zk.watch('/a')
    await watch.ready
    for (let i = 0; i < 10; i++) await zk.setData('/a', String(i))
    expect(watch.drain().map(({ type }) => type)).toEqual([
      'NodeDataChanged',
      'NodeDataChanged',
      'NodeDataChanged',
      'overflow',
    ])
  })

  since36(
    'R47: a consumer that was too slow is told what comes next, up to the newest',
    async () => {
      const zk = await open(server, { watchBufferMax: 2 })
      await zk.create('/a')
      const watch = zk.watch('/a', { recursive: true })
      await watch.ready
      for (let round = 0; round < 2; round++) {
        for (let i = 0; i < 10; i++) await zk.create(`/a/${round}-${i}`)
        const told: string[] = []
        for (let i = 0; i < 3; i++) told.push((await watch.next()).value!.type)
        expect(told).toEqual(['NodeCreated', 'NodeCreated', 'overflow'])
        await zk.create(`/a/newest-${round}`)
        expect((await watch.next()).value).toMatchObject({
          type: 'NodeCreated',
          path: `/a/newest-${round}`,
        })
      }
      await watch.return()
    },
  )
})

describeServers('observe()', (server) => {
  test('R49: tells the value now and then each newer one, null while there is none', async () => {
    const chroot = await newChroot(server)
    const zk = await openAt(server.connectString + chroot)
    const values = zk.observe('/config')
    expect((await values.next()).value).toBeNull()
    await zk.create('/config', 'one')
    expect((await values.next()).value?.data?.toString()).toBe('one')
    await zk.setData('/config', 'two')
    expect((await values.next()).value?.data?.toString()).toBe('two')
    await zk.delete('/config')
    expect((await values.next()).value).toBeNull()
    await values.return(undefined)
  })

  test('tells the newest value to a consumer that was away', async () => {
    const zk = await open(server)
    await zk.create('/config', '0')
    const values = zk.observe('/config')
    await values.next()
    for (let i = 1; i <= 5; i++) await zk.setData('/config', String(i))
    expect((await values.next()).value?.data?.toString()).toBe('5')
    await values.return(undefined)
  })

  test('an error that no waiting can mend is thrown', async () => {
    const zk = await open(server)
    await zk.create('/secret', '', { acl: [] }).catch(() => undefined)
    await zk.create('/hidden', '', { acl: [{ perms: 4, id: { scheme: 'world', id: 'anyone' } }] })
    expect(await errorOf(zk.observe('/hidden').next())).toMatchObject({ code: 'NO_AUTH' })
  })
})

type Watching = (zk: ZooKeeper, watch: (event: WatchEvent) => void) => Promise<unknown>
