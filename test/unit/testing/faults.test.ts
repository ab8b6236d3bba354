import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { operations } from '../../../src/protocol/index.ts'
import { type FaultPlan, TestServer } from '../../../src/testing/index.ts'
import { Cable } from '../../../src/testing/cable.ts'
import { Link, type Wire } from '../../../src/testing/link.ts'
import { profileOf } from '../../../src/testing/profile.ts'
import { ManualClock } from './manual-clock.ts'
import { newSessionFrame, openAcl, RawClient, requestFrame, resumeRequest } from './raw-client.ts'

const { create2, getData, multi, ping, sync } = operations
const create = (path: string, flags = 0) => ({ path, data: null, acl: openAcl, flags })
const root = { path: '/', watch: false }

let clock: ManualClock
let server: TestServer
let client: RawClient

beforeEach(async () => {
  clock = new ManualClock()
  server = await TestServer.start({ clock })
  client = await RawClient.connect(server.port)
})

afterEach(async () => {
  await client.close()
  await server.close()
})

/** Asks for replies that say which request they belong to. */
function request(...paths: readonly string[]): void {
  for (const path of paths) client.request(sync, { path })
}

async function replies(count: number): Promise<unknown[]> {
  const paths: unknown[] = []
  while (paths.length < count) paths.push((await client.takeReply(sync)).response?.path)
  return paths
}

describe('requests that a fault strikes', () => {
  const operationsStruck = async (plan: Partial<FaultPlan>) => {
    const fault = server.faults.add({ do: 'fail', code: 'THROTTLED_OP', ...plan } as FaultPlan)
    const struck: string[] = []
    const attempt = async (name: string, call: Promise<{ readonly err: number }>) => {
      if ((await call).err === -127) struck.push(name)
    }
    await attempt('ping', client.call(ping, undefined, -2))
    await attempt('create /a', client.call(create2, create('/a')))
    await attempt('create /a/b', client.call(create2, create('/a/b')))
    await attempt('getData /a', client.call(getData, { path: '/a', watch: false }))
    const parts = ['/m', '/a/m'].map((path) => ({ type: create2.code, request: create(path) }))
    await attempt('multi', client.call(multi, parts))
    expect(fault.hits).toBe(struck.length)
    return struck
  }
  const all = ['create /a', 'create /a/b', 'getData /a', 'multi']

  test.each<[string, Partial<FaultPlan>, string[]]>([
    ['all but pings', { times: Infinity }, all],
    ['the first', {}, ['create /a']],
    ['the second and third', { nth: 2, times: 2 }, ['create /a/b', 'getData /a']],
    ['pings, if named', { operation: ['ping', 'multi'], times: 9 }, ['ping', 'multi']],
    ['every kind of create', { operation: 'create', times: 9 }, ['create /a', 'create /a/b']],
    ['one kind alone', { operation: 'createTTL' }, []],
    ['a path', { path: '/a', times: 9 }, ['create /a', 'getData /a']],
    ['part of a name', { path: '/*m' }, ['multi']],
    ['one name, not two', { path: '/*', nth: 3 }, ['multi']],
    ['any number of names', { path: '/a/**', times: 9 }, ['create /a/b', 'multi']],
    ['a path that is no pattern', { path: '/.' }, []],
    ['another session', { session: 5n }, []],
  ])('%s', async (_, plan, expected) => {
    expect(await operationsStruck(plan)).toEqual(expected)
  })

  test('its own session', async () => {
    expect(await operationsStruck({ session: client.sessionId, times: 9 })).toEqual(all)
  })

  test('the dice of a seed decide, and the same seed decides alike', async () => {
    const strikes = async (seed: number) => {
      const plan = { do: 'fail', code: -127, times: Infinity, chance: 0.5, seed } as const
      const fault = server.faults.add(plan)
      const errors: number[] = []
      for (let i = 0; i < 40; i++) errors.push((await client.call(sync, { path: '/' })).err)
      fault.remove()
      return errors
    }
    const first = await strikes(1)
    expect(new Set(first)).toEqual(new Set([0, -127]))
    expect(await strikes(1)).toEqual(first)
    expect(await strikes(2)).not.toEqual(first)
  })

  test('of two faults the first added strikes, then the other', async () => {
    server.faults.add({ do: 'fail', code: 'NO_NODE' })
    server.faults.add({ do: 'fail', code: 'NO_AUTH' })
    const errors = []
    for (let i = 0; i < 3; i++) errors.push((await client.call(getData, root)).err)
    expect(errors).toEqual([-101, -102, 0])
    expect(server.faults.active).toEqual([])
  })

  test('none after it was removed, and whoever waits for it is told', async () => {
    const fault = server.faults.add({ do: 'drop-request' })
    const other = server.faults.add({ do: 'drop-reply' })
    fault.remove()
    server.faults.clear()
    for (const { struck } of [fault, other]) {
      await expect(struck).rejects.toMatchObject({ code: 'CLOSED' })
    }
    expect((await client.call(getData, root)).err).toBe(0)
  })

  test('one that passes is carried out, counted, and spared the faults added later', async () => {
    const fault = server.faults.add({ do: 'pass', nth: 2, times: 2 })
    server.faults.add({ do: 'fail', code: 'NO_AUTH', times: Infinity })
    const errors = []
    for (let i = 0; i < 4; i++) errors.push((await client.call(getData, root)).err)
    expect(errors).toEqual([-102, 0, 0, -102])
    expect(fault.hits).toBe(2)
  })

  test('its promise resolves when it strikes, before the client knows', async () => {
    const pass = server.faults.add({ do: 'pass', operation: 'create' })
    const drop = server.faults.add({ do: 'drop-reply', operation: 'sync' })
    client.request(create2, create('/a'))
    await pass.struck
    expect([server.get('/a') === null, client.order]).toEqual([false, []])
    await client.takeReply(create2)
    request('/a')
    await drop.struck
    expect(client.socket.destroyed).toBe(false)
    await client.closed
  })
})

describe('what a fault does to a request', () => {
  test('a dropped request is not carried out', async () => {
    server.faults.add({ do: 'drop-request', operation: 'create' })
    client.request(create2, create('/a'))
    await client.closed
    expect(server.get('/a')).toBeNull()
  })

  test('of a dropped reply the request is carried out, and what came before is answered', async () => {
    server.faults.add({ do: 'drop-reply', operation: 'create' })
    request('/before')
    client.request(create2, create('/a'))
    expect(await replies(1)).toEqual(['/before'])
    expect(await client.takeFrame()).toBeNull()
    expect(server.get('/a')).not.toBeNull()
  })

  test('the reply to a closeSession can be dropped, too', async () => {
    server.faults.add({ do: 'drop-reply', operation: 'closeSession' })
    client.request(operations.closeSession, undefined)
    expect(await client.takeFrame()).toBeNull()
    expect(server.sessions).toEqual([])
  })

  test('an error in place of the request is an answer: it is logged, unless it is that of a ping', async () => {
    server.faults.add({
      do: 'fail',
      code: 'THROTTLED_OP',
      operation: ['ping', 'getData'],
      times: 2,
    })
    const { zxid } = await client.call(ping, undefined, -2)
    await client.call(getData, root)
    const { sessionId } = client
    const answered = { sessionId, xid: 1, zxid, operation: 'getData', path: '/', err: -127 }
    expect(server.log.at(-1)).toEqual(answered)
    expect(server.log.some(({ operation }) => operation === 'ping')).toBe(false)
  })

  test('a session that is answered errors only lives on', async () => {
    server.faults.add({ do: 'fail', code: 'THROTTLED_OP', times: Infinity })
    for (let i = 0; i < 3; i++) {
      clock.advance(6_000)
      expect((await client.call(getData, root)).err).toBe(-127)
    }
    expect(server.sessions).toMatchObject([{ id: client.sessionId, connected: true }])
  })

  test('an expiry ends the session in place of the request', async () => {
    await client.call(create2, create('/e', 1))
    server.faults.add({ do: 'expire', operation: 'create' })
    client.request(create2, create('/a'))
    expect(await client.takeFrame()).toBeNull()
    expect(server.sessions).toEqual([])
    expect([server.get('/a'), server.get('/e')]).toEqual([null, null])
  })

  test('an expiry at a handshake refuses the session', async () => {
    server.faults.add({ do: 'expire', operation: 'handshake' })
    await using again = await RawClient.connect(server.port, resumeRequest(client))
    expect(again.sessionId).toBe(0n)
  })

  test('a reply comes twice', async () => {
    server.faults.add({ do: 'duplicate-reply', path: '/b' })
    request('/a', '/b', '/c')
    expect(await replies(4)).toEqual(['/a', '/b', '/b', '/c'])
  })

  test('a reply comes behind the next', async () => {
    server.faults.add({ do: 'reorder-reply', path: '/b' })
    request('/a', '/b', '/c', '/d')
    expect((await replies(4)).indexOf('/b')).toBeGreaterThan(1)
  })

  test('a late reply is late, with all behind it, but the request is not', async () => {
    const fault = server.faults.add({ do: 'delay-reply', operation: 'create', ms: 100 })
    request('/before')
    client.request(create2, create('/a'))
    request('/behind')
    expect(await replies(1)).toEqual(['/before'])
    await fault.struck
    expect(server.get('/a')).not.toBeNull()
    expect(client.order).toEqual(['reply 1'])
    clock.advance(100)
    await client.takeReply(create2)
    expect(await replies(1)).toEqual(['/behind'])
  })

  test('a delayed request waits, with all behind it', async () => {
    const fault = server.faults.add({ do: 'delay-request', operation: 'create', ms: 100 })
    client.request(create2, create('/a'))
    client.request(create2, create('/b'))
    await fault.struck
    clock.advance(99)
    expect([server.get('/a'), server.get('/b')]).toEqual([null, null])
    clock.advance(1)
    expect((await client.takeReply(create2)).response?.path).toBe('/a')
    expect((await client.takeReply(create2)).response?.path).toBe('/b')
  })

  test('a delayed write is carried out when its connection is gone, a read is not', async () => {
    const fault = server.faults.add({ do: 'delay-request', operation: 'create', ms: 100 })
    const read = requestFrame(getData, { path: '/a', watch: true }, 2)
    client.send(Buffer.concat([requestFrame(create2, create('/a'), 1), read]))
    await fault.struck
    server.cut()
    clock.advance(100)
    expect(server.get('/a')).not.toBeNull()
    expect(server.watches.data).toEqual([])
  })

  test('a delayed write of a session that has ended is not carried out', async () => {
    const fault = server.faults.add({ do: 'delay-request', operation: 'create', ms: 100 })
    client.request(create2, create('/e', 1))
    await fault.struck
    await server.expire(client.sessionId)
    clock.advance(100)
    expect(server.get('/e')).toBeNull()
  })

  test('a server that stops forgets what waits in it', async () => {
    const fault = server.faults.add({ do: 'delay-request', operation: 'create', ms: 100 })
    client.request(create2, create('/a'))
    await fault.struck
    await server.stop()
    expect(clock.timerCount).toBe(0)
    await server.resume()
    clock.advance(100)
    expect(server.get('/a')).toBeNull()
  })

  test('a delayed request that cannot be decoded costs its connection', async () => {
    const fault = server.faults.add({ do: 'delay-request', ms: 100 })
    client.send('0000000800000001' + '00000064') // half an auth packet
    await fault.struck
    clock.advance(100)
    await client.closed
    expect(server.sessions).toMatchObject([{ connected: false }])
  })
})

describe('what a fault does to a connection', () => {
  const advanceUntil = async (condition: () => boolean) => {
    while (!condition()) {
      await new Promise(setImmediate)
      clock.advance(1)
    }
  }

  test('it is reset as soon as it is open', async () => {
    const fault = server.faults.add({ do: 'refuse', times: 2 })
    const dial = () => RawClient.dial(server.port)
    const dialled = async () => dial().then(({ closed }) => closed, String)
    for (let i = 0; i < 2; i++) await dialled() // a reset may overtake the news that it is open
    await using third = await RawClient.connect(server.port)
    expect(third.sessionId).not.toBe(0n)
    expect(fault.hits).toBe(2)
  })

  test('a silent one carries nothing out and tells nobody, until its session expires', async () => {
    const fault = server.faults.add({ do: 'silence', path: '/a' })
    request('/before')
    client.request(create2, create('/a'))
    await fault.struck
    expect(await replies(1)).toEqual(['/before'])
    expect(server.get('/a')).toBeNull()
    expect(server.sessions).toMatchObject([{ connected: true }])
    clock.advance(20_000)
    expect(server.sessions).toEqual([])
    await using other = await RawClient.connect(server.port) // a way through the event loop
    expect(other.sessionId).not.toBe(0n)
    expect(client.socket.destroyed || client.socket.readableEnded).toBe(false)
  })

  test('silent to the client only, requests are carried out', async () => {
    const plan = { do: 'silence', direction: 'to-client', operation: 'create' } as const
    const fault = server.faults.add(plan)
    client.request(create2, create('/a'))
    await fault.struck
    expect(server.get('/a')).not.toBeNull()
  })

  test.each([0, 1, 19, 20])('it is cut %i bytes into a reply', async (bytes) => {
    const before = client.received.length
    server.faults.add({ do: 'cut', bytes, operation: 'create' })
    client.request(create2, create('/a'))
    await client.closed
    expect(client.received.length - before).toBe(bytes)
  })

  test.each([
    [1, false],
    [0, true],
  ])('cut %i bytes before the end of a create, it is carried out: %s', async (missing, isThere) => {
    const frame = requestFrame(create2, create('/a'), 1)
    const bytes = newSessionFrame.length + frame.length - missing
    server.faults.add({ do: 'cut', bytes, direction: 'to-server' })
    await using other = await RawClient.connect(server.port)
    other.send(frame)
    await other.closed
    expect(server.get('/a') !== null).toBe(isThere)
  })

  test('garbage comes before the reply', async () => {
    server.faults.add({ do: 'garbage', hex: '00000002abcd', operation: 'sync' })
    request('/a')
    expect((await client.takeFrame())?.toString('hex')).toBe('abcd')
    expect(await replies(1)).toEqual(['/a'])
  })

  test('a slow one takes its time', async () => {
    server.faults.add({ do: 'slow', bytesPerSecond: 1000, operation: 'sync' })
    const beforeMs = clock.nowMs()
    request('/a')
    const arrived = replies(1)
    await advanceUntil(() => client.order.length === 1)
    expect(await arrived).toEqual(['/a'])
    expect(clock.nowMs() - beforeMs).toBeGreaterThanOrEqual(20)
  })

  test('one that lags is late both ways', async () => {
    server.faults.add({ do: 'lag', ms: 50, operation: 'sync' })
    const first = replies(1)
    request('/a')
    await advanceUntil(() => client.order.length === 1)
    expect(await first).toEqual(['/a'])
    const beforeMs = clock.nowMs()
    const second = replies(1)
    request('/b')
    await advanceUntil(() => client.order.length === 2)
    expect(await second).toEqual(['/b'])
    expect(clock.nowMs() - beforeMs).toBeGreaterThanOrEqual(100)
  })

  test('slices arrive one by one, and whole in the end', async () => {
    server.faults.add({ do: 'slice', bytes: 3, operation: 'sync' })
    const chunks: number[] = []
    client.socket.on('data', (chunk: Buffer) => chunks.push(chunk.length))
    const both = replies(2)
    request('/a', '/b')
    await advanceUntil(() => client.order.length === 2)
    expect(await both).toEqual(['/a', '/b'])
    expect(chunks.length).toBeGreaterThan(2)
  })

  test('what is glued arrives at once, and not before', () => {
    const written: string[] = []
    const ignore = () => undefined
    const write = (bytes: Buffer) => void written.push(String(bytes))
    const toClient = { remoteAddress: '127.0.0.1', write, end: ignore, reset: ignore }
    let wire: Wire = toClient
    const host = {
      profile: profileOf('3.9'),
      packets: { received: 0, sent: 0 },
      handleWord: () => null,
      handleHandshake: ignore,
      handleRequest: ignore,
      handleClosed: ignore,
    }
    const cable = new Cable(toClient, clock, (shaped) => {
      wire = shaped
      return new Link(shaped, host)
    })
    cable.apply({ do: 'glue', ms: 50 })
    wire.write(Buffer.from('a'))
    clock.advance(20)
    wire.write(Buffer.from('b'))
    clock.advance(29)
    expect(written).toEqual([])
    clock.advance(1)
    wire.write(Buffer.from('c'))
    expect(written).toEqual(['ab'])
  })

  test('a link that ended leaves no timer behind', async () => {
    const fault = server.faults.add({ do: 'delay-reply', ms: 60_000 })
    request('/a')
    await fault.struck
    server.cut()
    await server.stop()
    expect(clock.timerCount).toBe(0)
  })
})

test.each<[string, object]>([
  ['there is no fault "explode"', { do: 'explode' }],
  ['there is no fault "toString"', { do: 'toString' }],
  ['"fail" needs "code"', { do: 'fail' }],
  ['"lag" needs "ms"', { do: 'lag', ms: undefined }],
  ['"code" of "fail" cannot be CLOSED', { do: 'fail', code: 'CLOSED' }],
  ['"code" of "fail" cannot be 0', { do: 'fail', code: 0 }],
  ['"drop-reply" has no "opeartion"', { do: 'drop-reply', opeartion: 'create' }],
  ['"drop-reply" has no "ms"', { do: 'drop-reply', ms: 5 }],
  ['"operation" of "drop-reply" cannot be creat', { do: 'drop-reply', operation: 'creat' }],
  ['"operation" of "drop-reply" cannot be ', { do: 'drop-reply', operation: [] }],
  ['"path" of "drop-reply" cannot be a', { do: 'drop-reply', path: 'a' }],
  ['"session" of "drop-reply" cannot be 5', { do: 'drop-reply', session: 5 }],
  ['"nth" of "drop-reply" cannot be 0', { do: 'drop-reply', nth: 0 }],
  ['"times" of "drop-reply" cannot be 0.5', { do: 'drop-reply', times: 0.5 }],
  ['"chance" of "drop-reply" cannot be 2', { do: 'drop-reply', chance: 2 }],
  ['"ms" of "lag" cannot be NaN', { do: 'lag', ms: NaN }],
  ['"hex" of "garbage" cannot be xyz', { do: 'garbage', hex: 'xyz' }],
  ['"direction" of "cut" cannot be both', { do: 'cut', bytes: 1, direction: 'both' }],
  ['"drop-reply" strikes requests, not "accept"', { do: 'drop-reply', operation: 'accept' }],
  ['a connection that comes in', { do: 'silence', operation: 'accept', path: '/' }],
  ['"refuse" strikes connections that come in', { do: 'refuse', operation: 'sync' }],
  ['a handshake has no error', { do: 'fail', code: -1, operation: 'handshake' }],
])('a plan is refused: %s', (detail, plan) => {
  expect(() => server.faults.add(plan as FaultPlan)).toThrow(
    expect.objectContaining({ code: 'BAD_ARGUMENTS', detail: expect.stringContaining(detail) }),
  )
})
