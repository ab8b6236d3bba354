import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type ChannelMessages, channels, connect } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { BlackHole } from '../support/black-hole.ts'
import { freePort } from '../support/free-port.ts'
import { LinkProxy } from '../support/link-proxy.ts'
import { describeServers, errorOf, newChroot, openAt, type Server } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

// What networks and hosts do, on real sockets: docs/failure-scenarios.md says what B2 and so on are.

const quick = { backoff: { msMin: 5, msMax: 50 } }

if (process.platform !== 'linux') console.warn('skipped: B2, B8: other systems accept or refuse')
const onLinux = test.skipIf(process.platform !== 'linux')

onLinux('B2: a host that swallows every dial costs its share of the session timeout', async () => {
  await using hole = await BlackHole.open()
  await using server = await TestServer.start()
  throwHigh() // leaves the hosts in their order
  const startedMs = performance.now()
  const zk = await openAt(`127.0.0.1:${hole.port},${server.connectString}`, {
    sessionTimeout: 3_000,
  })
  const tookMs = performance.now() - startedMs
  expect(zk.server).toBe(server.connectString)
  expect(tookMs).toBeGreaterThan(990) // it hung, indeed
  expect(tookMs).toBeLessThan(3_000)
})

describeServers('B5: bytes are lost', (server) => {
  test.each([
    ['to-server', null],
    ['to-client', 'unknown'],
  ] as const)('%s only: the link is given up in time to go on elsewhere', async (way, outcome) => {
    const [one, other] = [await wireTo(server), await wireTo(server)]
    const hosts = `${one.connectString},${other.connectString}${await newChroot(server)}`
    const zk = await openAt(hosts, { ...quick, sessionTimeout: 3_000 })
    const { id, timeout } = zk.session
    await zk.create('/a')
    const states = zk.states()
    const present = zk.server === one.connectString ? one : other
    present.loses = way
    const startedMs = performance.now()
    const write = errorOf(zk.setData('/a', 'x'))
    const { value } = await states.next()
    const silentMs = performance.now() - startedMs
    expect(value).toMatchObject({ state: 'suspended', reason: 'disconnected' })
    expect(silentMs).toBeLessThan(timeout) // two thirds of it, on a machine that has the time
    expect(await write).toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'unknown' })
    const { data } = await zk.getData('/a') // asked of the other one
    expect(String(data)).toBe(outcome === null ? '' : 'x')
    expect((await states.next()).value).toMatchObject({ state: 'connected' })
    expect(zk.session.id).toBe(id)
  })
})

onLinux('B8: of the addresses of a name, one that is dead does not stop the others', async () => {
  await using server = await TestServer.start()
  const lookup = async () => ['127.0.0.2', '::1', '127.0.0.1']
  throwHigh() // makes pauses as long as they may be, here 2 s
  const options = { lookup, sessionTimeout: 6_000, backoff: { msMin: 5_000, msMax: 5_000 } }
  const startedMs = performance.now()
  const zk = await openAt(`zk.test:${server.port}`, options)
  expect(performance.now() - startedMs).toBeLessThan(1_900) // without a pause
  const { id } = zk.session
  server.cut()
  await zk.waitFor('suspended')
  await zk.waitFor('connected')
  expect(zk.session.id).toBe(id)
})

describeReal('B10: a server that has too many connections of us', () => {
  test('is named as the likely cause, and serves when there is room', async () => {
    await using server = await ZooKeeperServer.start({ config: { maxClientCnxns: 1 } })
    const first = await connect(server.connectString)
    // Now and then the system tells of the end before the client has read it, as EPIPE say.
    const causes: string[] = []
    const note = (step: unknown) => causes.push(String((step as { cause?: unknown }).cause))
    subscribe(channels.connection, note)
    onTestFinished(() => void unsubscribe(channels.connection, note))
    const error = await errorOf(connect(server.connectString, { ...quick, connectTimeout: 500 }))
    expect(error).toMatchObject({ code: 'TIMEOUT' })
    expect(causes.join('\n')).toMatch(/may have too many connections/)
    const second = openAt(server.connectString)
    await first.close()
    await (await second).exists('/')
  })
})

test('B11: ten thousand dials in vain leave no more behind than one', async () => {
  const port = await freePort()
  let failures = 0
  const count = (message: unknown) => {
    const { server, trigger } = message as ChannelMessages['connection']
    if (trigger !== 'failed' || server !== `127.0.0.1:${port}`) return
    failures++
    if (failures === 10) before = handles()
    if (failures === 10_000) enough.abort()
  }
  const enough = new AbortController()
  let before: Record<string, number> = {}
  subscribe(channels.connection, count)
  onTestFinished(() => void unsubscribe(channels.connection, count))
  const backoff = { msMin: 0.001, msMax: 0.001 }
  const options = { backoff, connectTimeout: Infinity, signal: enough.signal }
  const error = await errorOf(connect(`127.0.0.1:${port}`, options))
  expect(error).toMatchObject({ code: 'ABORTED' })
  expect(failures).toBe(10_000)
  await new Promise(setImmediate) // sockets close in the last phase of a turn
  const after = handles()
  for (const [name, many] of Object.entries(after)) {
    expect(many, name).toBeLessThanOrEqual((before[name] ?? 0) + 2) // other tests have theirs
  }
})

describeServers('B20: beside a hundred megabytes of replies', (server) => {
  test('pings are sent, and answered in time', async () => {
    const wire = await wireTo(server)
    const path = await newChroot(server)
    const zk = await openAt(wire.connectString, { sessionTimeout: 1_000 })
    const { id, timeout } = zk.session
    await zk.setData(path, Buffer.alloc(1_000_000))
    const states: string[] = []
    void (async () => {
      for await (const { state } of zk.states()) states.push(state)
    })()
    wire.bytesPerSecond = 32_000_000
    const startedMs = performance.now()
    const reads = await Promise.all(Array.from({ length: 100 }, () => zk.getData(path)))
    const tookMs = performance.now() - startedMs
    expect(reads.every(({ data }) => data?.length === 1_000_000)).toBe(true)
    expect(states).toEqual([])
    expect(zk.session.id).toBe(id)
    expect(tookMs).toBeGreaterThan(2 * timeout)
    expect(zk.stats().pings).toBeGreaterThanOrEqual(Math.floor(tookMs / timeout))
  })
})

async function wireTo({ connectString }: Pick<Server, 'connectString'>): Promise<LinkProxy> {
  const wire = await LinkProxy.start(Number(connectString.split(':')[1]))
  onTestFinished(() => wire[Symbol.asyncDispose]())
  return wire
}

/** Makes the dice show their highest number. */
function throwHigh(): void {
  vi.spyOn(Math, 'random').mockReturnValue(0.999)
  onTestFinished(() => void vi.restoreAllMocks())
}

/** How many of each kind this process has. */
function handles(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
