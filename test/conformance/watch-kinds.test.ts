import { describe, expect, test } from 'vitest'
import { describeServers, open, testSince } from '../support/servers.ts'
import { told, type WatchKind, watchKinds, Watching } from '../support/watch-model.ts'

/** All orders of some things. */
function orders<T>(things: readonly T[]): T[][] {
  if (things.length < 2) return [[...things]]
  return things.flatMap((first) =>
    orders(things.filter((thing) => thing !== first)).map((rest) => [first, ...rest]),
  )
}

const kinds = ['data', 'child', 'persistent', 'recursive'] as const

describeServers('watches of all kinds on one path', (server) => {
  const since36 = testSince(server, '3.6')

  since36.each(orders(kinds).map((order) => [order.join(', '), order] as const))(
    'set in the order %s each hear what is theirs, and nothing twice',
    async (_, order) => {
      const zk = await open(server)
      await zk.create('/a')
      const all: Watching[] = []
      for (const kind of order) {
        const watching = new Watching(zk, kind, '/a')
        all.push(watching)
        await watching.ready
      }
      const change = async (...args: Parameters<typeof told>) => {
        for (const watching of all) watching.expect(told(...args))
        if (args[0] === 'create') await zk.create(args[1])
        else if (args[0] === 'set') await zk.setData(args[1], 'x')
        else await zk.delete(args[1])
        for (const watching of all) watching.check()
      }
      await change('create', '/a/b')
      await change('set', '/a/b')
      await change('create', '/a/b/c')
      await change('set', '/a')
      await change('delete', '/a/b/c')
      await change('delete', '/a/b')
      await change('set', '/a')
      await change('delete', '/a')
      await change('create', '/a')
    },
  )

  since36.each(orders(kinds).map((order) => [order.join(', '), order] as const))(
    'taken back in the order %s stop alone',
    async (_, order) => {
      const zk = await open(server)
      await zk.create('/a')
      const all = new Map<WatchKind, Watching>()
      for (const kind of kinds) {
        all.set(kind, new Watching(zk, kind, '/a'))
        await all.get(kind)!.ready
      }
      for (const kind of order) {
        all.get(kind)!.end()
        await zk.sync()
        await zk.sync()
        for (const watching of all.values()) watching.expect(told('create', '/a/b'))
        await zk.create('/a/b')
        for (const watching of all.values()) watching.expect(told('delete', '/a/b'))
        await zk.delete('/a/b')
        for (const watching of all.values()) watching.check()
      }
    },
  )

  since36('a one-shot watch that outlives a persistent one fires still', async () => {
    const zk = await open(server)
    await zk.create('/a')
    const persistent = new Watching(zk, 'recursive', '/a')
    await persistent.ready
    const left = watchKinds.slice(0, 3).map((kind) => new Watching(zk, kind, '/a'))
    for (const watching of left) await watching.ready
    persistent.end()
    for (const watching of left) watching.expect(told('create', '/a/b'))
    await zk.create('/a/b')
    for (const watching of left) watching.expect(told('set', '/a'))
    await zk.setData('/a', 'x')
    for (const watching of left) watching.check()
    expect(left.map(({ isOver }) => isOver)).toEqual([true, true, true])
  })

  test('J5: callbacks that watch again and take others back are called once each', async () => {
    const zk = await open(server)
    await zk.create('/a')
    const heard: string[] = []
    const watch = (name: string, then = () => {}, signal?: AbortSignal) => {
      const called = () => {
        heard.push(name)
        then()
      }
      return zk.getData('/a', { watch: called, watchSignal: signal })
    }
    const leaving = new AbortController()
    await watch('first', () => {
      leaving.abort()
      for (const name of ['again', 'and again']) void watch(name)
    })
    await watch('taken back', () => {}, leaving.signal)
    await watch('last')
    await zk.setData('/a', 'x')
    await zk.sync()
    expect(heard).toEqual(['first', 'last'])
    await zk.setData('/a', 'y')
    await zk.sync()
    expect(heard).toEqual(['first', 'last', 'again', 'and again'])
  })

  test('E6: of two reads that set a watch, each has its own, which fires once', async () => {
    const zk = await open(server)
    await zk.create('/a')
    const heard: string[] = []
    const watch = ({ type }: { readonly type: string }) => heard.push(`both ${type}`)
    await Promise.all([zk.getData('/a', { watch }), zk.exists('/a', { watch })])
    await zk.getData('/a', { watch: ({ type }) => heard.push(`other ${type}`) })
    await zk.setData('/a', 'x')
    await zk.getData('/a', { watch: ({ type }) => heard.push(`later ${type}`) })
    await zk.setData('/a', 'y')
    await zk.sync()
    expect(heard).toEqual([
      'both NodeDataChanged',
      'both NodeDataChanged',
      'other NodeDataChanged',
      'later NodeDataChanged',
    ])
  })

  // No reply is awaited in between, so requests about watches of one path follow one another closely.
  since36('R53: set and taken back without a pause leave what was wanted last', async () => {
    const zk = await open(server)
    await zk.create('/a')
    const kept: Watching[] = []
    for (let round = 0; round < 20; round++) {
      const kind = watchKinds[round % watchKinds.length]!
      const watching = new Watching(zk, kind, '/a')
      if (round % 3 === 0) kept.push(watching)
      else {
        watching.ready.catch(() => undefined)
        watching.end()
      }
    }
    await Promise.all(kept.map(({ ready }) => ready))
    for (const watching of kept) watching.expect(told('create', '/a/b'))
    await zk.create('/a/b')
    for (const watching of kept) watching.expect(told('set', '/a'))
    await zk.setData('/a', 'x')
    for (const watching of kept) watching.check()
  })
})

describe('orders', () => {
  test('are all there are', () => {
    expect(orders(kinds)).toHaveLength(24)
  })
})
