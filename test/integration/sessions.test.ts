import { describe, expect, onTestFinished, test } from 'vitest'
import { type StateChange, type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { errorOf, openAt } from '../support/servers.ts'

// What a session goes through, on the in-process server, which does it on command.

test('a cut link is replaced, and the session continues', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const { id } = zk.session
  const states = record(zk)
  await zk.create('/mine', '', { mode: 'ephemeral' })

  server.cut(id)
  await zk.waitFor('suspended')
  await zk.waitFor('connected')

  expect(zk.session.id).toBe(id)
  expect(await zk.exists('/mine')).not.toBeNull()
  expect(states.map(({ state, reason }) => `${state}: ${reason}`)).toEqual([
    'suspended: disconnected',
    'connected: established',
  ])
})

test('reads that the cut left unanswered are answered on the next link, in order', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  await zk.create('/a', 'x')
  const order: number[] = []
  const reads = Array.from({ length: 50 }, async (_, i) => {
    const { data } = await zk.getData('/a')
    order.push(i)
    return data?.toString()
  })
  process.nextTick(() => {
    server.cut()
  })
  expect(new Set(await Promise.all(reads))).toEqual(new Set(['x']))
  expect(order).toEqual([...order].sort((a, b) => a - b))
})

test('a one-shot watch set before a cut fires once after it, for a change made meanwhile', async () => {
  await using server = await TestServer.start()
  const [zk, other] = [await openAt(server.connectString), await openAt(server.connectString)]
  await zk.create('/a')
  const events: WatchEvent[] = []
  await zk.getData('/a', { watch: (event) => events.push(event) })

  server.cut(zk.session.id)
  await zk.waitFor('suspended')
  await other.setData('/a', 'changed')
  await zk.waitFor('connected')
  await zk.sync()

  expect(events).toMatchObject([{ type: 'NodeDataChanged', path: '/a' }])
})

test('R36: a persistent watch says resync after a cut, before new events', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const watch = zk.watch('/a')
  await watch.ready
  server.cut(zk.session.id)
  await zk.waitFor('suspended')
  await zk.waitFor('connected')
  await zk.create('/a')
  expect(watch.drain().map(({ type }) => type)).toEqual(['resync', 'NodeCreated'])
})

test('a persistent watch says resync before anything that the next link tells', async () => {
  await using server = await TestServer.start()
  const [zk, other] = [await openAt(server.connectString), await openAt(server.connectString)]
  await zk.create('/a')
  // The server catches this one up, for the same path, before it answers the SetWatches.
  await zk.getData('/a', { watch: () => undefined })
  const watch = zk.watch('/a')
  await watch.ready
  server.cut(zk.session.id)
  await zk.waitFor('suspended')
  await other.setData('/a', 'changed')
  await zk.waitFor('connected')
  await zk.sync()
  expect(watch.drain().map(({ type }) => type)).toEqual(['resync', 'NodeDataChanged'])
})

test('an expired session is followed by a new one, which says so', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const { id } = zk.session
  const states = record(zk)
  await zk.create('/mine', '', { mode: 'ephemeral' })
  const oneShot: WatchEvent[] = []
  await zk.exists('/other', { watch: (event) => oneShot.push(event) })
  const watch = zk.watch('/a')
  await watch.ready

  await server.expire(id)
  await zk.waitFor('expired')
  await zk.waitFor('connected')

  expect(zk.session.id).not.toBe(id)
  expect(await zk.exists('/mine')).toBeNull()
  expect(oneShot).toMatchObject([{ type: 'session-expired', path: '/other' }])
  expect(watch.drain().map(({ type }) => type)).toEqual(['resync'])
  expect(states.map(({ state }) => state)).toEqual([
    'suspended',
    'expired',
    'connecting',
    'connected',
  ])
  expect(states.at(-1)).toMatchObject({ previousSessionId: id, sessionId: zk.session.id })
})

test('a call that no server has seen is carried out by the next session', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const { id } = zk.session
  await server.stop()
  await zk.waitFor('suspended')
  const created = zk.create('/late', 'x')
  await server.expire(id)
  await server.resume()
  await zk.waitFor('expired')
  await expect(created).resolves.toMatchObject({ path: '/late' })
  expect(zk.session.id).not.toBe(id)
})

test('R1: with onExpired "close" the client ends with the session', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString, { onExpired: 'close' })
  await server.expire(zk.session.id)
  await zk.waitFor('closed')
  expect(await errorOf(zk.exists('/'))).toMatchObject({ code: 'SESSION_EXPIRED' })
})

test('observe() goes on through a cut and an expiry', async () => {
  await using server = await TestServer.start()
  const [zk, other] = [await openAt(server.connectString), await openAt(server.connectString)]
  await other.create('/config', '1')
  const values = zk.observe('/config')
  const next = async () => (await values.next()).value?.data?.toString()
  expect(await next()).toBe('1')

  server.cut(zk.session.id)
  await zk.waitFor('suspended')
  await other.setData('/config', '2')
  expect(await next()).toBe('2')

  await server.expire(zk.session.id)
  await zk.waitFor('expired')
  await other.setData('/config', '3')
  expect(await next()).toBe('3')
  await values.return(undefined)
})

test('a watch whose session expires while it is being set is set in the next one', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const { id } = zk.session
  await server.stop()
  const watch = zk.watch('/a')
  await zk.waitFor('suspended')
  await server.expire(id)
  await server.resume()
  await watch.ready
  await zk.create('/a')
  expect((await watch.next()).value).toMatchObject({ type: 'NodeCreated' })
})

test('a watch that is left before the server has set it is taken back', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const watch = zk.watch('/a')
  await watch.return()
  await watch.ready
  await zk.sync()
  expect(server.watches.persistent).toEqual([])
})

test('R94: states() tells every change and ends with the last', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const changes = zk.states()
  const first = changes.next()
  await zk.close()
  expect((await first).value).toMatchObject({ state: 'closed', previous: 'connected' })
  expect(await changes.next()).toEqual({ done: true, value: undefined })
})

test('waitFor gives up at its timeout, at its signal, and when it is hopeless', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const signal = AbortSignal.abort('enough')
  expect(await errorOf(zk.waitFor('lost', { timeout: 5 }))).toMatchObject({ code: 'TIMEOUT' })
  expect(await errorOf(zk.waitFor('lost', { signal }))).toMatchObject({ code: 'ABORTED' })
  const hopeless = zk.waitFor('lost')
  await zk.close()
  expect(await errorOf(hopeless)).toMatchObject({ code: 'CLOSED' })
})

test.each([
  ['its own', { timeout: 30 }],
  ['the default', undefined],
])('a call that finds no link fails after %s timeout', async (_, options) => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString, { requestTimeout: 30 })
  await server.stop()
  await zk.waitFor('suspended')
  const error = await errorOf(zk.create('/never', '', options))
  expect(error).toMatchObject({ name: 'TimeoutError', code: 'TIMEOUT', outcome: 'not-applied' })
  await server.resume()
  await zk.waitFor('connected', { timeout: 5_000 })
  expect(await zk.exists('/never')).toBeNull()
})

test('R95: close() ends the session on the server, and later calls reject with CLOSED', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  await zk.create('/mine', '', { mode: 'ephemeral' })
  const tooLate = errorOf(zk.create('/last')) // not written yet when the client is closed
  await Promise.all([zk.close(), zk.close()])
  expect(await tooLate).toMatchObject({ code: 'CLOSED', outcome: 'not-applied' })
  expect(server.sessions).toEqual([])
  expect(await errorOf(zk.exists('/'))).toMatchObject({ code: 'CLOSED', outcome: 'not-applied' })
  expect(zk.state).toBe('closed')
  expect(zk.server).toBeNull()
})

test('close() without a link ends at once', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  await server.stop()
  await zk.waitFor('suspended')
  const waiting = errorOf(zk.create('/never'))
  await zk.close()
  expect(await waiting).toMatchObject({ code: 'CLOSED', outcome: 'not-applied' })
})

function record(zk: ZooKeeper): StateChange[] {
  const changes: StateChange[] = []
  void (async () => {
    for await (const change of zk.states()) changes.push(change)
  })()
  return changes
}

describe('R84: states are told before what follows from them for watches', () => {
  async function listening() {
    const server = await TestServer.start()
    onTestFinished(() => server.close())
    const zk = await openAt(server.connectString)
    const told: string[] = []
    void (async () => {
      for await (const { state } of zk.states()) told.push(state)
    })()
    const watch = zk.watch('/a')
    await watch.ready
    const resynced = new Promise<void>((resolve) => {
      void (async () => {
        for await (const { type } of watch) {
          told.push(`persistent: ${type}`)
          if (type === 'resync') resolve()
        }
      })()
    })
    const tell = ({ type }: WatchEvent) => told.push(`one-shot: ${type}`)
    await zk.exists('/a', { watch: tell })
    await zk.getChildren('/', { watch: tell })
    return { server, zk, told, resynced }
  }

  test('of an expiry', async () => {
    const { server, zk, told, resynced } = await listening()
    await server.expire(zk.session.id)
    await resynced
    expect(told.slice(0, 2)).toEqual(['suspended', 'expired'])
    expect(told.slice(-2)).toEqual(['connected', 'persistent: resync'])
    expect(told.slice(2, -2).toSorted()).toEqual([
      'connecting',
      'one-shot: session-expired',
      'one-shot: session-expired',
    ])
  })

  test('of the end', async () => {
    const { zk, told } = await listening()
    await zk.close()
    expect(told).toEqual(['closed', 'one-shot: closed', 'one-shot: closed'])
  })
})
