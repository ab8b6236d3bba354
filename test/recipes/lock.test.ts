import { expect, test } from 'vitest'
import { contendersOf } from '../../src/recipes/contender.ts'
import { Lock } from '../../src/recipes/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { describeServers, errorOf, newChroot, open, openAt } from '../support/servers.ts'

describeServers('Lock', (server) => {
  test('is held by one at a time, in the order of arrival, with rising tokens', async () => {
    const zk = await open(server)
    const lock = new Lock(zk, '/locks/a')
    const order: number[] = []
    const tokens: bigint[] = []
    let holders = 0
    const work = (i: number) =>
      lock.run(async (held) => {
        expect(++holders).toBe(1)
        order.push(i)
        tokens.push(held.fencingToken)
        await zk.sync()
        held.assertHeld()
        holders--
      })
    await Promise.all(Array.from({ length: 20 }, (_, i) => work(i)))
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(tokens).toEqual([...tokens].sort((a, b) => Number(a - b)))
    expect(new Set(tokens).size).toBe(20)
    expect((await zk.getChildren('/locks/a')).children).toEqual([])
  })

  test('tryAcquire takes a free lock, and leaves nothing behind when it is not', async () => {
    const chroot = await newChroot(server)
    const zk = await openAt(server.connectString + chroot)
    const other = await openAt(server.connectString + chroot)
    const held = await new Lock(zk, '/lock').tryAcquire()
    expect(held?.isHeld).toBe(true)
    expect(await new Lock(other, '/lock').tryAcquire()).toBeNull()
    expect((await zk.getChildren('/lock')).children).toHaveLength(1)
    await held!.release()
    const next = await new Lock(other, '/lock').tryAcquire()
    expect(next!.fencingToken).toBeGreaterThan(held!.fencingToken)
    await next!.release()
  })

  test('an acquire that is aborted or timed out leaves no znode behind', async () => {
    const zk = await open(server)
    const held = await new Lock(zk, '/lock').acquire()
    const abort = new AbortController()
    const waiting = errorOf(new Lock(zk, '/lock').acquire({ signal: abort.signal }))
    const late = await errorOf(new Lock(zk, '/lock').acquire({ timeout: 50 }))
    expect(late).toMatchObject({ code: 'TIMEOUT' })
    abort.abort('enough')
    expect(await waiting).toMatchObject({ code: 'ABORTED', cause: 'enough' })
    await zk.sync()
    expect((await zk.getChildren('/lock')).children).toEqual([held.path.slice('/lock/'.length)])
    await held.release()
  })

  test('a released lease is over: its signal has fired, and assertHeld throws', async () => {
    const zk = await open(server)
    const held = await new Lock(zk, '/lock').acquire()
    held.assertHeld()
    await held.release()
    expect(held.signal.aborted).toBe(true)
    expect(held.isHeld).toBe(false)
    expect(() => {
      held.assertHeld()
    }).toThrow(/LEASE_LOST/)
  })

  test('a holder whose znode is deleted by somebody learns it at once', async () => {
    const zk = await open(server)
    const held = await new Lock(zk, '/lock').acquire()
    const lost = new Promise((resolve) => {
      held.signal.addEventListener('abort', resolve)
    })
    await zk.delete(held.path)
    await lost
    expect(held.signal.reason).toMatchObject({ code: 'LEASE_LOST' })
  })
})

test('a holder whose session expires has lost the lock before the next one has it', async () => {
  await using server = await TestServer.start()
  const holder = await openAt(server.connectString)
  const waiter = await openAt(server.connectString)
  const held = await new Lock(holder, '/lock').acquire()
  const next = new Lock(waiter, '/lock').acquire()
  await server.expire(holder.session.id)
  const lease = await next
  expect(lease.fencingToken).toBeGreaterThan(held.fencingToken)
  await holder.waitFor('connected')
  expect(held.isHeld).toBe(false)
})

test('a lease outlives a cut, and a waiter keeps its place', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const waiter = await openAt(server.connectString)
  const held = await new Lock(zk, '/lock').acquire()
  const next = new Lock(waiter, '/lock').acquire()
  await waiter.sync()
  server.cut()
  await Promise.all([zk.waitFor('suspended'), waiter.waitFor('suspended')])
  await Promise.all([zk.waitFor('connected'), waiter.waitFor('connected')])
  expect(held.isHeld).toBe(true)
  expect(server.get('/lock')?.stat.numChildren).toBe(2)
  await held.release()
  await (await next).release()
})

test('a waiter whose session expires joins again at the end', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const waiter = await openAt(server.connectString)
  const held = await new Lock(zk, '/lock').acquire()
  const next = new Lock(waiter, '/lock').acquire()
  await waiter.sync()
  await server.expire(waiter.session.id)
  await waiter.waitFor('connected')
  await held.release()
  const lease = await next
  expect(lease.isHeld).toBe(true)
  await lease.release()
  expect(server.get('/lock')?.stat.numChildren).toBe(0)
})

test('a lease that cannot be renewed ends before its session can expire', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString, { sessionTimeout: 1_200 })
  const held = await new Lock(zk, '/lock').acquire()
  const startedMs = performance.now()
  const lost = new Promise((resolve) => {
    held.signal.addEventListener('abort', resolve)
  })
  await server.stop()
  await lost
  expect(performance.now() - startedMs).toBeLessThan(1_200)
  expect(zk.state).toBe('suspended')
})

test('R23: the line is in order even where the sequence number wraps', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  await zk.create('/line')
  // As a server names them around the end of a signed 32-bit counter; uuids sort the other way.
  const names = [
    'd-lock-2147483646',
    'c-lock-2147483647',
    'b-lock--2147483648',
    'a-lock--000000001',
  ]
  for (const name of [...names, 'no-contender', 'lock-7']) await zk.create(`/line/${name}`)
  const line = await contendersOf(zk, { path: '/line', label: 'lock-' })
  expect(line.slice(0, 3)).toEqual(names.slice(0, 3).map((name) => `/line/${name}`))
  expect(line).toHaveLength(4)
})
