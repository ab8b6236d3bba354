import { expect, onTestFinished, test } from 'vitest'
import { connect, isZooKeeperError, type ZooKeeper } from '../../src/index.ts'
import { type FaultPlan, TestServer } from '../../src/testing/index.ts'

// What makes several requests, on a network that loses some of them or their replies.

const kinds = ['drop-request', 'drop-reply'] as const

async function start(...plans: FaultPlan[]) {
  const server = await TestServer.start()
  const zk = await connect(server.connectString, { backoff: { msMin: 1, msMax: 5 } })
  onTestFinished(async () => {
    await zk.close()
    await server.close()
  })
  for (const name of ['a', 'b', 'c']) {
    for (let i = 0; i < 20; i++) await zk.create(`/t/${name}/${i}`, '', { parents: true })
  }
  for (const plan of plans) server.faults.add(plan)
  return { server, zk }
}

async function pathsOf(zk: ZooKeeper, path: string): Promise<string[]> {
  const paths: string[] = []
  for await (const entry of zk.walk(path, { concurrency: 8 })) paths.push(entry.path)
  return paths
}

test.each(kinds)('a subtree is deleted, whatever is lost: %s', async (kind) => {
  const faults = [3, 11, 30].map((nth) => ({ do: kind, operation: 'delete', nth }))
  const { zk, server } = await start(...faults)
  await zk.deleteRecursive('/t')
  expect(server.get('/t')).toBeNull()
})

test('a subtree is deleted in another session if the first expires', async () => {
  const { zk, server } = await start({ do: 'expire', operation: 'delete', nth: 20 })
  const before = zk.session.id
  await zk.deleteRecursive('/t')
  expect(server.get('/t')).toBeNull()
  expect(zk.session.id).not.toBe(before)
})

test.each(kinds)('a walk tells each znode once, in order: %s', async (kind) => {
  const { zk } = await start({
    do: kind,
    operation: 'getChildren',
    chance: 0.2,
    times: 20,
    seed: 1,
  })
  const paths = await pathsOf(zk, '/t')
  expect(paths).toHaveLength(64)
  expect(new Set(paths).size).toBe(64)
  expect(paths.slice(0, 4)).toEqual(['/t', '/t/a', '/t/b', '/t/c'])
})

test.each(kinds)('many are read in one batch, again if need be: %s', async (kind) => {
  const { zk } = await start({ do: kind, operation: 'getData', nth: 10 })
  const paths = Array.from({ length: 20 }, (_, i) => `/t/a/${i}`)
  const values = await zk.getMany([...paths, '/nope'], { sync: true })
  expect(values.map((value) => value !== null)).toEqual([...paths.map(() => true), false])
  const results = await zk.multiRead().getData('/t').read()
  expect(results[0].status).toBe('fulfilled')
})

test.each(kinds)('ancestors are made, whatever of them is lost: %s', async (kind) => {
  const { zk, server } = await start({ do: kind, path: '/x/y', operation: 'create' })
  const { path } = await zk.create('/x/y/z/j-', 'x', {
    parents: true,
    mode: 'ephemeral-sequential',
  })
  expect(path).toBe('/x/y/z/j-0000000000')
  expect(server.get('/x/y')?.data).toEqual(Buffer.alloc(0))
})

test.each(kinds)('a check that is lost is made again: %s', async (kind) => {
  const { zk } = await start({ do: kind, operation: 'multi' })
  await zk.check('/t', 0)
})

test('a create with parents and an answer that is lost says so of itself', async () => {
  const { zk, server } = await start({
    do: 'drop-reply',
    path: '/x/y',
    operation: 'create',
    nth: 2,
  })
  const created = zk.create('/x/y', '', { parents: true })
  await expect(created).rejects.toMatchObject({
    code: 'CONNECTION_LOSS',
    outcome: 'unknown',
    path: '/x/y',
  })
  expect(server.get('/x/y')).not.toBeNull()
})

test('containers that vanish before they get their child are made again', async () => {
  const { zk, server } = await start()
  const sweeper = await connect(server.connectString)
  const sweeping = (async () => {
    const swept: unknown[] = []
    for (let isOver = false; !isOver;) {
      await sweeper.delete('/v').then(
        () => swept.push('/v'),
        (error: unknown) => (isOver = isZooKeeperError(error, 'CLOSED')),
      )
    }
    return swept
  })()
  try {
    for (let i = 0; i < 50; i++) {
      const { path } = await zk.create(`/v/${i}`, '', { parents: true })
      await zk.delete(path)
    }
  } finally {
    await sweeper.close()
  }
  expect((await sweeping).length).toBeGreaterThan(5)
})
