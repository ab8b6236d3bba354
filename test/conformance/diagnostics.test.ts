import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type ChannelMessages,
  channels,
  type Logger,
  type RequestTrace,
  type ZooKeeper,
} from '../../src/index.ts'
import { LossyProxy } from '../support/lossy-proxy.ts'
import { describeServers, errorOf, newChroot, open, openAt, testSince } from '../support/servers.ts'

describeServers('diagnostics', (server) => {
  describe('the request channel', () => {
    test('tells a request from the call to its answer, without its data', async () => {
      const zk = await open(server)
      await zk.create('/n', 'sentinel-of-data')
      const { events, printed } = listenToRequests()
      const { data } = await zk.getData('/n')
      expect(data?.toString()).toBe('sentinel-of-data')
      const known = { op: 'getData', path: '/n' }
      expect(events.map(({ name }) => name)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
      expect(events[0]).toMatchObject({ ...known, outcome: null, xid: null })
      expect(events.at(-1)).toMatchObject({
        ...known,
        xid: expect.any(Number),
        zxid: expect.any(BigInt),
        server: zk.server,
        sessionId: zk.session.id,
        bytesIn: 4 + 16 + 4 + 'sentinel-of-data'.length + 68,
        outcome: 'succeeded',
        code: null,
      })
      expect(events.at(-1)!.bytesOut).toBeGreaterThan(4 + 8 + 4 + 1)
      expect(printed()).not.toContain('sentinel-of-data')
    })

    test('tells what a request failed with, and still shows who called', async () => {
      const zk = await open(server)
      const { events } = listenToRequests()
      async function readTheMissing() {
        await zk.getData('/missing')
      }
      const error = (await errorOf(readTheMissing())) as Error
      expect(error.stack).toContain('readTheMissing')
      const names = ['start', 'end', 'error', 'asyncStart', 'asyncEnd']
      expect(events.map(({ name }) => name)).toEqual(names)
      expect(events.at(-1)).toMatchObject({ code: 'NO_NODE', outcome: 'not-applied', error })
    })

    test('tells the fate of a transaction, of an answer that is none, and of what is not sent', async () => {
      const zk = await open(server)
      const { ends } = listenToRequests()
      await zk.multi().create('/a').create('/b').commit()
      await errorOf(zk.multi().create('/c').create('/a').commit())
      await zk.exists('/missing')
      await errorOf(zk.sync('/', { signal: AbortSignal.abort('enough') }))
      await errorOf(zk.getData('no path'))
      expect(ends()).toMatchObject([
        { op: 'multi', path: null, outcome: 'succeeded', code: null },
        { op: 'multi', path: null, outcome: 'not-applied', code: 'NODE_EXISTS' },
        { op: 'exists', path: '/missing', outcome: 'succeeded', code: null },
        { op: 'sync', outcome: 'not-applied', code: 'ABORTED', bytesOut: 0, xid: null },
      ])
    })

    test('carries a store from start to whatever the call leads to', async () => {
      const zk = await open(server)
      const spans = new AsyncLocalStorage<string>()
      const { start } = tracingChannel<string, RequestTrace>(channels.request)
      start.bindStore(spans, ({ op }) => `span of ${op}`)
      onTestFinished(() => void start.unbindStore(spans))
      let seen: string | undefined
      const see = () => (seen = spans.getStore())
      subscribe(`tracing:${channels.request}:asyncEnd`, see)
      onTestFinished(() => void unsubscribe(`tracing:${channels.request}:asyncEnd`, see))
      await zk.sync()
      expect(seen).toBe('span of sync')
    })
  })

  test('the connection and session channels tell a cut step by step', async () => {
    const chroot = await newChroot(server)
    await using proxy = await LossyProxy.start(server.connectString)
    const zk = await openAt(proxy.connectString + chroot)
    const steps = listen('connection')
    const changes = listen('session')
    proxy.loseAt(0, 'drop-request')
    await zk.sync()
    await zk.close()
    const at = proxy.connectString
    expect(steps).toMatchObject([
      { trigger: 'failed', link: 'idle', server: at, cause: { message: expect.any(String) } },
      { trigger: 'dialled', link: 'dialling', server: at },
      { trigger: 'opened', link: 'handshaking', server: at },
      { trigger: 'accepted', link: 'attached', server: at },
      { trigger: 'ended', link: 'ended', server: at },
    ])
    const { id } = zk.session
    expect(changes).toMatchObject([
      { state: 'suspended', previous: 'connected', reason: 'disconnected', sessionId: id },
      { state: 'connected', previous: 'suspended', reason: 'established', server: at },
      { state: 'closed', reason: 'close-finished' },
    ])
  })

  test('R52: a watch callback that throws or rejects stops no other, and is told', async () => {
    const zk = await open(server)
    const notices = listen('watch')
    const lines = logger()
    const told: string[] = []
    const loud = await openAt(server.connectString, { logger: lines.logger })
    const path = (await loud.create('/r52-', '', { mode: 'ephemeral-sequential' })).path
    const thrown = new Error('thrown')
    const rejected = new Error('rejected')
    await loud.getData(path, {
      watch: () => {
        throw thrown
      },
    })
    const rejecting: () => unknown = () => Promise.reject(rejected)
    await loud.getData(path, { watch: rejecting })
    await loud.getData(path, { watch: ({ type }) => told.push(type) })
    await loud.setData(path, 'x')
    await loud.sync()
    expect(told).toEqual(['NodeDataChanged'])
    expect(notices.filter(({ kind }) => kind === 'event')).toHaveLength(3)
    expect(notices.filter(({ kind }) => kind === 'failed')).toMatchObject([
      { path, type: 'NodeDataChanged', error: thrown },
      { path, type: 'NodeDataChanged', error: rejected },
    ])
    const failures = lines.of('error')
    expect(failures).toEqual([
      ['zoowire: a watch callback failed', thrown],
      ['zoowire: a watch callback failed', rejected],
    ])
    await zk.close()
  })

  testSince(server, '3.6.0')('a watch iterator that drops events says so once', async () => {
    const lines = logger()
    const zk = await open(server, { watchBufferMax: 2, logger: lines.logger })
    const notices = listen('watch')
    await zk.create('/n')
    await using watch = zk.watch('/n')
    await watch.ready
    for (let i = 0; i < 5; i++) await zk.setData('/n', String(i))
    await zk.sync()
    const dropped = notices.filter(({ kind }) => kind === 'dropped')
    expect(dropped).toMatchObject([{ type: 'overflow', path: expect.stringMatching(/\/n$/) }])
    expect(lines.of('warn')).toEqual([[expect.stringMatching(/a watch of .*\/n is full/)]])
  })

  test('the retry channel tells why a call is made again', async () => {
    const chroot = await newChroot(server)
    await using proxy = await LossyProxy.start(server.connectString)
    const zk = await openAt(proxy.connectString + chroot)
    await zk.create('/n')
    const notices = listen('retry')
    proxy.loseAt(0, 'drop-request')
    await zk.setData('/n', 'x', { idempotent: true })
    const retry = { attempts: 2, backoff: { msMin: 1 }, codes: ['NO_NODE'] as const }
    await errorOf(zk.getData('/missing', { retry }))
    expect(notices).toMatchObject([
      { op: 'setData', path: '/n', attempt: 1, reason: 'lost-reply', delayMs: 0 },
      { op: 'getData', path: '/missing', attempt: 1, reason: 'policy', error: { code: 'NO_NODE' } },
    ])
  })

  test('the stall channel tells a busy process from a silent server', async () => {
    const zk = await open(server, { sessionTimeout: 1_000 })
    const notices = listen('stall')
    await untilReadable(zk)
    const untilMs = performance.now() + zk.session.timeout * 0.6
    while (performance.now() < untilMs);
    await untilReadable(zk)
    expect(notices).toMatchObject([{ kind: 'event-loop', server: zk.server }])
    expect(notices[0]!.ms).toBeGreaterThan(zk.session.timeout / 10)
    expect(zk.state).toBe('connected')
  })

  test('a subscriber that throws does not reach the client', async () => {
    const zk = await open(server)
    const failure = new Error('of a subscriber')
    const subscriber = () => {
      throw failure
    }
    const uncaught = catchUncaught()
    subscribe(channels.session, subscriber)
    const start = `tracing:${channels.request}:start`
    subscribe(start, subscriber)
    const reading = zk.exists('/')
    unsubscribe(start, subscriber)
    expect(await reading).not.toBeNull()
    await zk.close()
    await new Promise(setImmediate)
    unsubscribe(channels.session, subscriber)
    expect(uncaught).toEqual([failure, failure])
  })

  test('R80: nothing is printed, and a logger is told of states at fitting levels', async () => {
    const secret = 'sentinel-of-a-secret'
    const chroot = await newChroot(server)
    await using proxy = await LossyProxy.start(server.connectString)
    const lines = logger()
    const zk = await openAt(proxy.connectString + chroot, {
      logger: lines.logger,
      auth: [{ scheme: 'digest', auth: `bob:${secret}` }],
    })
    await zk.create('/n', secret)
    proxy.loseAt(0, 'drop-request')
    await zk.setData('/n', secret, { idempotent: true })
    await zk.close()
    const at = proxy.connectString
    const id = `0x${zk.session.id.toString(16)}`
    expect(lines.of('info')).toEqual([
      [`zoowire: session ${id} is connected at ${at} (established)`],
      [`zoowire: session ${id} is connected at ${at} (established)`],
      [`zoowire: session ${id} is closed at ${at} (close-finished)`],
    ])
    expect(lines.of('warn')).toEqual([
      [expect.stringMatching(`^zoowire: session ${id} is suspended \\(disconnected\\): .`)],
    ])
    expect(lines.of('debug')).toContainEqual([`zoowire: ${at}: dialled`])
    expect(lines.of('error')).toEqual([])
    expect(inspect(lines.all, { depth: 9 })).not.toContain(secret)
  })

  test('a logger that throws does not reach the client', async () => {
    const fail = () => {
      throw new Error('the disk is full')
    }
    const zk = await open(server, { logger: { debug: fail, info: fail, warn: fail, error: fail } })
    expect(await zk.exists('/')).not.toBeNull()
    await zk.close()
    expect(zk.state).toBe('closed')
  })
})

/** What a channel tells from now on. */
function listen<Name extends Exclude<keyof ChannelMessages, 'request'>>(name: Name) {
  const messages: ChannelMessages[Name][] = []
  const note = (message: unknown) => void messages.push(message as ChannelMessages[Name])
  subscribe(channels[name], note)
  onTestFinished(() => void unsubscribe(channels[name], note))
  return messages
}

function listenToRequests() {
  const events: (RequestTrace & { readonly name: string })[] = []
  const raw: unknown[] = []
  const note = (name: string) => (trace: unknown) => {
    events.push({ name, ...(trace as RequestTrace) })
    raw.push(trace)
  }
  const subscribers = {
    start: note('start'),
    end: note('end'),
    asyncStart: note('asyncStart'),
    asyncEnd: note('asyncEnd'),
    error: note('error'),
  }
  const channel = tracingChannel(channels.request)
  channel.subscribe(subscribers)
  onTestFinished(() => {
    channel.unsubscribe(subscribers)
  })
  return {
    events,
    ends: () => events.filter(({ name }) => name === 'asyncEnd'),
    printed: () => inspect(raw, { depth: 9, showHidden: true }),
  }
}

type Level = keyof Logger

function logger() {
  const all: [Level, ...unknown[]][] = []
  const at =
    (level: Level) =>
    (message: string, ...details: unknown[]) => {
      all.push([level, message, ...details])
    }
  return {
    all,
    of: (level: Level) => all.filter((line) => line[0] === level).map(([, ...rest]) => rest),
    logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
  }
}

async function untilReadable(zk: ZooKeeper): Promise<void> {
  await zk.exists('/')
  await new Promise(setImmediate)
}

/** Collects what would end the process, until the test is over. */
function catchUncaught(): unknown[] {
  const caught: unknown[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => caught.push(error))
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
  })
  return caught
}
