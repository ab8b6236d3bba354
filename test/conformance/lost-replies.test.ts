import { describe, expect, onTestFinished, test } from 'vitest'
import { isZooKeeperError, type ZooKeeper } from '../../src/index.ts'
import { LossyProxy, type Loss } from '../support/lossy-proxy.ts'
import { describeServers, errorOf, newChroot, openAt, type Server } from '../support/servers.ts'

// A write whose reply is lost, with and without `idempotent` and `protect`. The network loses a
// request or a reply at each of the requests that a call makes, and others write meanwhile.

const losses: Loss[] = ['drop-request', 'drop-reply']

/** One more than the requests of a call whose first one is lost: write, sync, look, write. */
const steps = [0, 1, 2, 3, 4]

describeServers('R19: a lost request or reply', (server) => {
  describe.each(losses)('%s', (loss) => {
    test.each(steps)('at request %i: an idempotent create makes the znode once', async (step) => {
      const { zk, proxy } = await openThroughProxy(server)
      proxy.loseAt(step, loss)
      const { path, stat } = await zk.create('/n', 'mine', { idempotent: 'unique-data' })
      expect(path).toBe('/n')
      expect(await zk.getData('/n')).toEqual({ data: Buffer.from('mine'), stat })
      expect(stat.mzxid).toBe(stat.czxid)
    })

    test.each(steps)('at request %i: an idempotent ephemeral is this session’s', async (step) => {
      const { zk, proxy } = await openThroughProxy(server)
      proxy.loseAt(step, loss)
      const { stat } = await zk.create('/n', '', { mode: 'ephemeral', idempotent: true })
      expect(stat.ephemeralOwner).toBe(zk.session.id)
      expect(await zk.exists('/n')).toEqual(stat)
    })

    test.each(steps)('at request %i: an idempotent setData happens once', async (step) => {
      const { zk, proxy } = await openThroughProxy(server)
      await zk.create('/n', 'old')
      proxy.loseAt(step, loss)
      const stat = await zk.setData('/n', 'new', { idempotent: true })
      expect(stat.version).toBe(1)
      expect(await zk.getData('/n')).toEqual({ data: Buffer.from('new'), stat })
    })

    test.each(steps)('at request %i: one with version and unique data, too', async (step) => {
      const { zk, proxy } = await openThroughProxy(server)
      await zk.create('/n', 'old')
      proxy.loseAt(step, loss)
      const stat = await zk.setData('/n', 'new 7f3a', { version: 0, idempotent: 'unique-data' })
      expect(stat.version).toBe(1)
      expect(await zk.exists('/n')).toEqual(stat)
    })

    test.each(steps)('at request %i: an idempotent delete leaves no znode', async (step) => {
      const { zk, proxy } = await openThroughProxy(server)
      await zk.create('/n')
      proxy.loseAt(step, loss)
      await zk.delete('/n', { idempotent: true })
      expect(await zk.exists('/n')).toBeNull()
    })

    test.each([...steps, 5])('at request %i: a protected create makes one znode', async (step) => {
      const { zk, proxy } = await openThroughProxy(server)
      await zk.create('/line')
      proxy.loseAt(step, loss)
      const mode = 'ephemeral-sequential'
      const { path, stat } = await zk.create('/line/n-', 'x', { mode, protect: true })
      expect(path).toMatch(/^\/line\/_c_[0-9a-f-]{36}-n-\d{10}$/)
      expect((await zk.getChildren('/line')).children).toEqual([path.slice('/line/'.length)])
      expect(await zk.exists(path)).toEqual(stat)
    })

    test('at two requests in a row is resolved as well', async () => {
      const { zk, proxy } = await openThroughProxy(server)
      await zk.create('/n')
      let count = 0
      proxy.lose = (operation) => (operation === 'setData' && count++ < 2 ? loss : undefined)
      expect((await zk.setData('/n', 'x', { idempotent: true })).version).toBe(1)
    })

    test('of a plain write is reported as unknown', async () => {
      const { zk, proxy } = await openThroughProxy(server)
      await zk.create('/n')
      proxy.loseAt(0, loss)
      const error = await errorOf(zk.setData('/n', 'x'))
      expect(error).toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'unknown' })
      await zk.sync()
      expect((await zk.exists('/n'))?.version).toBe(loss === 'drop-reply' ? 1 : 0)
    })
  })

  test('a protected create at the root and one of a persistent znode are found again', async () => {
    const { zk, proxy } = await openThroughProxy(server)
    proxy.loseAt(0, 'drop-reply')
    const { path } = await zk.create('/plain', 'x', { protect: true })
    expect(path).toMatch(/^\/_c_[0-9a-f-]{36}-plain$/)
    expect((await zk.getChildren('/')).children).toEqual([path.slice(1)])
  })

  test('a protected create that is given up leaves no znode behind', async () => {
    const { zk, proxy, other } = await openThroughProxy(server)
    await zk.create('/line')
    const controller = new AbortController()
    const { signal } = controller
    proxy.lose = () => {
      proxy.isDown = true
      return 'drop-reply'
    }
    const creating = zk.create('/line/n', '', { protect: true, signal })
    await zk.waitFor('suspended')
    controller.abort('enough')
    expect(await errorOf(creating)).toMatchObject({
      code: 'ABORTED',
      outcome: 'unknown',
      cause: 'enough',
    })
    expect((await other.getChildren('/line')).children).toHaveLength(1)
    proxy.lose = () => undefined
    proxy.isDown = false
    await untilEmpty(other, '/line')
  })

  test('a guaranteed delete that is given up goes on in the background', async () => {
    const { zk, proxy, other } = await openThroughProxy(server)
    await zk.create('/n')
    const gone = new Promise((resolve) => {
      void other.exists('/n', { watch: ({ type }) => resolve(type) })
    })
    proxy.lose = () => {
      proxy.isDown = true
      return 'drop-request'
    }
    const error = await errorOf(zk.delete('/n', { guaranteed: true }))
    expect(error).toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'unknown' })
    proxy.lose = () => undefined
    proxy.isDown = false
    expect(await gone).toBe('NodeDeleted')
  })

  test('a guaranteed delete leaves a znode alone that was made since', async () => {
    const { zk, proxy, other } = await openThroughProxy(server)
    await zk.create('/n')
    const operations: string[] = []
    const looked = new Promise<void>((resolve) => {
      proxy.lose = (operation) => {
        operations.push(operation)
        if (operation === 'exists') resolve()
        if (operation !== 'delete') return undefined
        proxy.isDown = true
        return 'drop-reply'
      }
    })
    await errorOf(zk.delete('/n', { guaranteed: true }))
    await other.create('/n', 'new')
    proxy.isDown = false
    await looked
    await zk.sync()
    expect(operations).toEqual(['delete', 'sync', 'exists', 'sync'])
    expect((await zk.getData('/n')).data?.toString()).toBe('new')
  })

  test('a guaranteed delete that a server refuses is over', async () => {
    const { zk, proxy } = await openThroughProxy(server)
    const operations: string[] = []
    proxy.lose = (operation) => void operations.push(operation)
    await errorOf(zk.delete('/missing', { guaranteed: true }))
    await zk.sync()
    expect(operations).toEqual(['delete', 'sync'])
  })

  test('a timeout ends the search for the truth, and the outcome remains unknown', async () => {
    const { zk, proxy } = await openThroughProxy(server)
    await zk.create('/n')
    proxy.lose = () => {
      proxy.isDown = true
      return 'drop-request'
    }
    const error = await errorOf(zk.setData('/n', 'x', { idempotent: true, timeout: 100 }))
    expect(error).toMatchObject({
      code: 'TIMEOUT',
      op: 'setData',
      path: '/n',
      outcome: 'unknown',
      cause: { code: 'CONNECTION_LOSS' },
    })
  })

  test('the server’s refusal of an idempotent write is its answer', async () => {
    const { zk } = await openThroughProxy(server)
    await zk.create('/n')
    const refusals = [
      zk.create('/n', '', { idempotent: true }),
      zk.setData('/n', '', { version: 7, idempotent: true }),
      zk.delete('/missing', { idempotent: true }),
    ]
    const outcome = 'not-applied'
    expect(await Promise.all(refusals.map(errorOf))).toMatchObject([
      { code: 'NODE_EXISTS', outcome },
      { code: 'BAD_VERSION', outcome },
      { code: 'NO_NODE', outcome },
    ])
  })

  test.each([
    ['an idempotent sequential create', { mode: 'ephemeral-sequential', idempotent: true }],
    ['another word', { idempotent: 'always' as 'unique-data' }],
  ] as const)('%s is refused', async (_, options) => {
    const { zk } = await openThroughProxy(server)
    expect(await errorOf(zk.create('/n', '', options))).toMatchObject({ code: 'BAD_ARGUMENTS' })
  })

  test('data that the caller changes after the call is not sent', async () => {
    const { zk, proxy } = await openThroughProxy(server)
    await zk.create('/n')
    proxy.loseAt(0, 'drop-request')
    const data = Buffer.from('as it was')
    const writing = zk.setData('/n', data, { idempotent: true })
    data.fill(0)
    await writing
    expect((await zk.getData('/n')).data?.toString()).toBe('as it was')
  })

  describe('with another writer meanwhile', () => {
    type Case = readonly [
      title: string,
      loss: Loss,
      write: (zk: ZooKeeper) => Promise<unknown>,
      meanwhile: (other: ZooKeeper) => Promise<unknown>,
      /** What the call rejects with, or null if it resolves. */
      failure: readonly [code: string, outcome: string] | null,
      /** What the znode holds in the end. */
      end: string | null,
    ]
    const createUnique = (zk: ZooKeeper) => zk.create('/x', 'mine', { idempotent: 'unique-data' })
    const createEphemeral = (zk: ZooKeeper) =>
      zk.create('/x', 'mine', { mode: 'ephemeral', idempotent: true })
    const set = (zk: ZooKeeper) => zk.setData('/n', 'mine', { idempotent: true })
    const setNext = (zk: ZooKeeper) => zk.setData('/n', 'mine', { version: 0, idempotent: true })
    const setUnique = (zk: ZooKeeper) =>
      zk.setData('/n', 'mine', { version: 0, idempotent: 'unique-data' })
    const remove = (zk: ZooKeeper) => zk.delete('/n', { idempotent: true })
    const removeSeen = (zk: ZooKeeper) => zk.delete('/n', { version: 0, idempotent: true })
    const again = async (zk: ZooKeeper) => {
      await zk.delete('/n')
      await zk.create('/n', 'theirs')
    }
    const overwrite = (data: string) => (zk: ZooKeeper) => zk.setData('/n', data)
    const gone = (path: string) => (zk: ZooKeeper) => zk.delete(path)
    const unknownLoss = ['CONNECTION_LOSS', 'unknown'] as const

    test.each<Case>([
      [
        'a create in the other’s place',
        'drop-request',
        createUnique,
        (zk) => zk.create('/x', 'theirs'),
        ['NODE_EXISTS', 'unknown'],
        'theirs',
      ],
      [
        'an ephemeral in the other’s place',
        'drop-request',
        createEphemeral,
        (zk) => zk.create('/x', 'mine', { mode: 'ephemeral' }),
        ['NODE_EXISTS', 'unknown'],
        'mine',
      ],
      [
        'a create of the same data',
        'drop-request',
        (zk) => zk.create('/x', 'mine', { idempotent: true }),
        (zk) => zk.create('/x', 'mine'),
        ['NODE_EXISTS', 'unknown'],
        'mine',
      ],
      ['a create that was deleted', 'drop-reply', createUnique, gone('/x'), null, 'mine'],
      [
        'a create whose data was replaced',
        'drop-reply',
        createUnique,
        (zk) => zk.setData('/x', 'theirs'),
        ['NODE_EXISTS', 'unknown'],
        'theirs',
      ],
      [
        'an ephemeral whose data was replaced',
        'drop-reply',
        createEphemeral,
        (zk) => zk.setData('/x', 'theirs'),
        null,
        'theirs',
      ],
      ['a setData before another', 'drop-reply', set, overwrite('theirs'), unknownLoss, 'theirs'],
      ['a setData lost', 'drop-request', set, overwrite('theirs'), unknownLoss, 'theirs'],
      ['a setData of the same', 'drop-request', set, overwrite('mine'), null, 'mine'],
      ['a setData to a gone znode', 'drop-reply', set, gone('/n'), unknownLoss, null],
      ['a setData to a new znode', 'drop-reply', set, again, unknownLoss, 'theirs'],
      [
        'a setData that the next version disproves',
        'drop-request',
        setNext,
        overwrite('theirs'),
        ['BAD_VERSION', 'not-applied'],
        'theirs',
      ],
      [
        'two writers of the same value at the same version',
        'drop-request',
        setNext,
        overwrite('mine'),
        ['BAD_VERSION', 'unknown'],
        'mine',
      ],
      [
        'a setData of unique data that was replaced',
        'drop-reply',
        setUnique,
        overwrite('theirs'),
        ['BAD_VERSION', 'unknown'],
        'theirs',
      ],
      ['a setData at a version', 'drop-reply', setUnique, again, unknownLoss, 'theirs'],
      [
        'a delete of a znode made again',
        'drop-reply',
        remove,
        (zk) => zk.create('/n', 'theirs'),
        unknownLoss,
        'theirs',
      ],
      ['a delete that the other did', 'drop-request', remove, gone('/n'), null, null],
      ['a delete with version', 'drop-request', removeSeen, gone('/n'), unknownLoss, null],
      [
        'a delete with version of changed data',
        'drop-request',
        removeSeen,
        overwrite('theirs'),
        ['BAD_VERSION', 'not-applied'],
        'theirs',
      ],
    ])('%s, %s', async (_title, loss, write, meanwhile, failure, end) => {
      const { zk, other, proxy } = await openThroughProxy(server)
      await zk.create('/n', 'old')
      proxy.lose = () => {
        proxy.isDown = true
        proxy.lose = () => undefined
        return loss
      }
      const outcome = write(zk).then(
        () => null,
        (error: unknown) => isZooKeeperError(error) && [error.code, error.outcome],
      )
      await zk.waitFor('suspended')
      await meanwhile(other)
      proxy.isDown = false
      expect(await outcome).toEqual(failure)
      const path = (await other.exists('/x')) === null ? '/n' : '/x'
      const now = await other.getData(path).catch(() => null)
      expect(now?.data?.toString() ?? null).toBe(end)
    })
  })
})

/** Without `watch()`, which servers before 3.6 do not know. */
async function untilEmpty(zk: ZooKeeper, path: string): Promise<void> {
  for (;;) {
    let change = (): void => undefined
    const changed = new Promise<void>((resolve) => (change = resolve))
    const { children } = await zk.getChildren(path, { watch: change })
    if (children.length === 0) return
    await changed
  }
}

/** A client behind a network that loses things, and another that is not. */
async function openThroughProxy(server: Server) {
  const chroot = await newChroot(server)
  const proxy = await LossyProxy.start(server.connectString)
  onTestFinished(() => proxy[Symbol.asyncDispose]())
  const zk = await openAt(proxy.connectString + chroot, { backoff: { msMin: 5, msMax: 50 } })
  const other = await openAt(server.connectString + chroot)
  return { zk, other, proxy }
}
