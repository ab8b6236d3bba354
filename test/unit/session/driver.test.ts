import { describe, expect, test } from 'vitest'
import { SetSASLResponse } from '../../../src/protocol/records.ts'
import { type Access, freeAccess } from '../../../src/session/access.ts'
import { Credential } from '../../../src/session/auth.ts'
import { Driver } from '../../../src/session/driver.ts'
import { Hosts } from '../../../src/session/hosts.ts'
import { Monitor, type Stall } from '../../../src/session/monitor.ts'
import { type SaslExchange } from '../../../src/session/sasl.ts'
import { type SessionOptions } from '../../../src/session/session-parts.ts'
import { Session } from '../../../src/session/session.ts'
import { Watches } from '../../../src/session/watches.ts'
import { FakeRuntime } from '../../support/fake-runtime.ts'
import { defaultOptions, handshakeOf, reply } from '../../support/session-harness.ts'
import { getData } from '../../support/test-call.ts'

const hosts = ['zk1', 'zk2'].map((name) => ({ name, port: 2181 }))
const garbage = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')
const deletedReply = (xid: number) => reply({ xid, zxid: 1n, err: -101 })

const silentExchange: SaslExchange = {
  initialResponse: Buffer.from('hello'),
  evaluate: () => null,
}

function driving(
  access: Partial<Access> = {},
  options: Partial<SessionOptions> = {},
  credentials: Credential[] = [],
) {
  const runtime = new FakeRuntime()
  const states: string[] = []
  const stalls: Stall[] = []
  const session = new Session(
    { ...defaultOptions, ...options },
    {
      hosts: new Hosts(hosts, () => 1 - Number.EPSILON),
      watches: new Watches(() => {}),
      credentials,
      random: () => runtime.random(),
      nowMs: () => runtime.nowMs(),
      onChange: ({ state }) => states.push(state),
      monitor: new Monitor(undefined, (stall) => stalls.push(stall)),
    },
  )
  const driver = new Driver(session, runtime, { ...freeAccess, ...access })
  return { runtime, session, states, stalls, driver }
}

async function connected() {
  const context = driving()
  context.driver.wake()
  await context.runtime.turn()
  const { transport } = context.runtime
  transport.link.handleOpened()
  transport.receive(handshakeOf())
  return { ...context, transport }
}

describe('Driver', () => {
  test('tells the session how late its deadline is', async () => {
    const { runtime, stalls } = await connected()
    runtime.block(6_000)
    await runtime.advance(0)
    expect(stalls).toEqual([{ kind: 'event-loop', ms: 2_000, server: 'zk1:2181' }])
  })

  test('dials, shakes hands, and moves bytes both ways', async () => {
    const { session, driver, runtime, transport } = await connected()
    expect(transport.target).toEqual({
      address: 'address of zk1',
      port: 2181,
      name: 'zk1',
      tls: null,
    })
    expect(session.state).toBe('connected')

    const call = getData('/a')
    session.submit(call)
    driver.wake()
    await runtime.turn()
    expect(transport.written).toHaveLength(2)
    transport.receive(deletedReply(1))
    expect(call.fate).toBe('NO_NODE not-applied')
  })

  test('makes one pass a turn, however often it is woken', async () => {
    const { session, driver, runtime, transport } = await connected()
    for (let i = 0; i < 100; i++) {
      session.submit(getData(`/${i}`))
      driver.wake()
    }
    expect(runtime.deferredCount).toBe(1)
    await runtime.turn()
    expect(transport.written).toHaveLength(2)

    driver.wake()
    expect(runtime.deferredCount).toBe(1)
  })

  test('has one write outstanding at most, and goes on when it has left', async () => {
    const { session, driver, transport } = await connected()
    transport.isRoomy = false
    session.submit(getData('/1'))
    driver.drive()
    session.submit(getData('/2'))
    driver.drive()
    expect(transport.written).toHaveLength(2)

    transport.link.handleWritten()
    expect(transport.written).toHaveLength(3)
  })

  test('keeps one timer, and moves it only to an earlier time', async () => {
    const { session, driver, runtime, transport } = await connected()
    const startMs = runtime.nowMs()
    // That of the dial was later: the ping comes first now.
    expect(runtime.timersAtMs).toEqual([startMs + 4_000])

    await runtime.advance(1_000)
    session.submit(getData('/1'))
    driver.drive()
    // The ping is due later now, but to be woken early costs less than another timer.
    expect(runtime.timersAtMs).toEqual([startMs + 4_000])
    await runtime.advance(3_000)
    expect(transport.written).toHaveLength(2)
    expect(runtime.timersAtMs).toEqual([startMs + 5_000])
  })

  test('wakes the session in time: a silent link is dropped and another host dialled', async () => {
    const { runtime, states, transport } = await connected()
    await runtime.advance(7_999)
    expect(transport.written).toHaveLength(2) // handshake and ping
    expect(transport.isDestroyed).toBe(false)

    await runtime.advance(1)
    expect(transport.isDestroyed).toBe(true)
    expect(states).toEqual(['connected', 'suspended'])
    expect(runtime.transport.target.name).toBe('zk2')
  })

  describe('a name with several addresses', () => {
    const unreachable = new Error('connect ENETUNREACH')
    const addresses: Record<string, readonly string[]> = {
      zk1: ['::2', '10.0.0.1', '10.0.0.2'],
      zk2: ['::1'],
    }
    const drivingNames = async () => {
      const context = driving()
      context.runtime.lookup = async (name) => addresses[name]!
      context.driver.drive()
      await context.runtime.turn()
      return context
    }
    const dialled = ({ transports }: FakeRuntime) => transports.map(({ target }) => target.address)

    // Else a machine without IPv6 would pause before each IPv4 address.
    test('R70: has all of them tried, without a pause', async () => {
      const { runtime, session } = await drivingNames()
      runtime.transport.link.handleClosed(unreachable)
      runtime.transport.link.handleClosed(unreachable)
      expect(dialled(runtime)).toEqual(['::2', '10.0.0.1', '10.0.0.2'])
      expect(session.lastLoss).toBeNull()

      runtime.transport.link.handleOpened()
      runtime.transport.receive(handshakeOf())
      expect(session.state).toBe('connected')
    })

    test('costs one attempt when all of them fail', async () => {
      const { runtime, session } = await drivingNames()
      for (const _ of addresses.zk1!) runtime.transport.link.handleClosed(unreachable)
      expect(session.lastLoss).toBe(unreachable)
      await runtime.advance(10_000)
      expect(dialled(runtime)[3]).toBe('::1')
    })

    test('is left for the next host when one of them opens and then fails', async () => {
      const { runtime } = await drivingNames()
      runtime.transport.link.handleOpened()
      runtime.transport.link.handleClosed(null)
      await runtime.advance(10_000)
      expect(dialled(runtime).slice(0, 2)).toEqual(['::2', '::1'])
    })

    // Packets to it vanish, so it takes the whole time of a dial.
    test('R7: is looked up anew for the next dial, which begins with the next of them', async () => {
      const { runtime } = await drivingNames()
      await runtime.advance(6_100) // its share of the timeout, and the pause
      runtime.transport.link.handleClosed(unreachable)
      await runtime.advance(1_000)
      expect(dialled(runtime)).toEqual(['::2', '::1', '10.0.0.1'])
    })

    test('is given up when no socket can be made', async () => {
      const { runtime, session } = await drivingNames()
      const { link } = runtime.transport
      runtime.dialError = new Error('EMFILE')
      link.handleClosed(unreachable)
      expect(session.lastLoss).toBe(runtime.dialError)
    })
  })

  test.each<[string, (runtime: FakeRuntime) => void, string]>([
    [
      'a name that cannot be resolved',
      (runtime) => (runtime.lookup = () => Promise.reject(new Error('ENOTFOUND'))),
      'ENOTFOUND',
    ],
    [
      'a name without addresses',
      (runtime) => (runtime.lookup = async () => []),
      'zk1:2181 has no address (CONNECTION_LOSS)',
    ],
    [
      'a resolver that throws',
      (runtime) => {
        runtime.lookup = () => {
          throw new Error('a bug of the user')
        }
      },
      'a bug of the user',
    ],
    [
      'a socket that cannot even be made',
      (runtime) => (runtime.dialError = new Error('bad certificate')),
      'bad certificate',
    ],
  ])('%s costs one attempt, not the others', async (_, arrange, message) => {
    const { runtime, session, driver } = driving()
    const { lookup } = runtime
    arrange(runtime)
    driver.drive()
    await runtime.turn()
    expect(session.lastLoss).toMatchObject({ message })

    runtime.lookup = lookup
    runtime.dialError = null
    await runtime.advance(10_000)
    expect(runtime.transports[0]!.target.name).toBe('zk2')
  })

  test('asks for TLS options, credentials and SASL anew at each dial', async () => {
    let asked = 0
    const secrets: string[] = []
    const credential = new Credential('digest', async () => Buffer.from(`secret ${asked}`))
    const access: Access = {
      tls: async () => ({ generation: ++asked }),
      sasl: async ({ name }) => {
        secrets.push(`login ${asked} at ${name}`)
        return { mechanism: 'TEST', exchange: silentExchange }
      },
    }
    const { runtime, driver } = driving(access, {}, [
      credential,
      new Credential('ip', Buffer.from('own')),
    ])
    driver.drive()
    await runtime.turn()
    runtime.transport.link.handleClosed(null)
    await runtime.advance(1_000)
    const dialled = runtime.transports.map(({ target }) => target.tls)
    expect(dialled).toEqual([{ generation: 1 }, { generation: 2 }])
    expect(secrets).toEqual(['login 1 at zk1', 'login 2 at zk2'])
    expect(credential.call().request).toMatchObject({ auth: Buffer.from('secret 2') })
  })

  test.each<[string, Partial<Access>, Credential[]]>([
    ['TLS options', { tls: () => Promise.reject(new Error('vault sealed')) }, []],
    ['SASL', { sasl: () => Promise.reject(new Error('vault sealed')) }, []],
    ['auth', {}, [new Credential('digest', () => Promise.reject(new Error('vault sealed')))]],
  ])('a provider of %s that rejects costs one attempt, and nothing is dialled', async (...row) => {
    const { runtime, session, driver } = driving(row[1], {}, row[2])
    driver.drive()
    await runtime.turn()
    expect(session.lastLoss).toMatchObject({ message: 'vault sealed' })
    expect(runtime.transports).toEqual([])
    expect(session.nextDeadlineMs).toBeLessThan(runtime.nowMs() + 1_000)
  })

  test.each([
    ['comes', () => Promise.resolve(['10.0.0.1'])],
    ['fails', () => Promise.reject(new Error('ENOTFOUND'))],
  ])('an answer to a look-up that %s after the dial was given up is dropped', async (_, answer) => {
    const { runtime, session, driver } = driving()
    let release = () => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    runtime.lookup = () => gate.then(answer)
    driver.drive()
    session.close(runtime.nowMs())
    driver.drive()
    release()
    await runtime.turn()
    expect(runtime.transports).toEqual([])
    expect(session.lastLoss).toBeNull()
  })

  // A bad frame costs its connection, never the process.
  test('destroys a link whose bytes are not ZooKeeper’s, and throws nothing', async () => {
    const { runtime, session, driver } = driving()
    driver.drive()
    await runtime.turn()
    const [first] = runtime.transports
    first!.link.handleOpened()
    first!.receive(garbage)
    expect(first!.isDestroyed).toBe(true)
    expect(session.lastLoss).toMatchObject({ code: 'PROTOCOL_ERROR' })

    await runtime.advance(1_000)
    expect(runtime.transports.at(1)?.target.name).toBe('zk2')
  })

  describe('in a turn that took too long', () => {
    test('ends leases before it hands on what was read', async () => {
      const { runtime, session, driver, transport } = await connected()
      const order: string[] = []
      const call = getData('/a')
      call.onSettled = () => order.push('reply')
      session.submit(call)
      driver.drive()
      runtime.leaseTimer(runtime.uptimeMs() + 500, () => order.push('lease'))
      runtime.block(500)
      transport.receive(deletedReply(1))
      expect(order).toEqual(['lease', 'reply'])
    })

    test('hands on nothing if the end of a lease has ended the link', async () => {
      const { runtime, session, driver, transport } = await connected()
      runtime.leaseTimer(runtime.uptimeMs() + 500, () => {
        session.updateHosts(runtime.nowMs(), [{ name: 'zk3', port: 2181 }])
        driver.drive()
      })
      runtime.block(500)
      transport.receive(garbage)
      expect(session.lastLoss).toBeNull()
    })
  })

  describe('while a read-only server serves', () => {
    const reading = async () => {
      const context = driving({}, { readOnly: true })
      context.driver.wake()
      await context.runtime.turn()
      const { transport } = context.runtime
      transport.link.handleOpened()
      transport.receive(handshakeOf({ readOnly: true }))
      await context.runtime.advance(100)
      return { ...context, transport, probe: context.runtime.transport }
    }

    test('asks another one beside the link, and moves there if it can write', async () => {
      const { runtime, states, transport, probe } = await reading()
      expect(probe.target.name).toBe('zk2')
      probe.link.handleOpened()
      expect(String(probe.written)).toBe('isro')
      expect(transport.isDestroyed).toBe(false)

      probe.receive(Buffer.from('rw'))
      probe.link.handleClosed(null)
      await runtime.turn()
      expect(transport.isDestroyed).toBe(true)
      expect(states).toEqual(['read-only', 'suspended'])
      expect(runtime.transport).not.toBe(probe)
      expect(runtime.transport.target.name).toBe('zk2')
    })

    test('asks again if it cannot, and if it does not answer', async () => {
      const { runtime, states, probe } = await reading()
      probe.receive(Buffer.from('ro'))
      probe.link.handleClosed(null)
      await runtime.advance(200)
      expect(runtime.transports).toHaveLength(3)
      await runtime.advance(1_000 + 400)
      expect(runtime.transports).toHaveLength(4)
      expect(states).toEqual(['read-only'])
    })

    test('drops the question with the link', async () => {
      const { runtime, session, driver, probe } = await reading()
      session.close(runtime.nowMs())
      driver.drive()
      expect(probe.isDestroyed).toBe(true)
    })

    test('drops the question when the link is replaced by one that is asked for anew', async () => {
      const { runtime, transport, probe } = await reading()
      transport.link.handleClosed(null)
      await runtime.advance(100)
      expect(probe.isDestroyed).toBe(true)
    })
  })

  test('hears nothing from a link it has dropped', async () => {
    const { runtime, session, states, transport } = await connected()
    await runtime.advance(8_000)
    const dials = runtime.transports.length

    transport.link.handleOpened()
    transport.receive(garbage)
    transport.link.handleWritten()
    transport.link.handleClosed(new Error('late'))
    await runtime.turn()
    expect(states).toEqual(['connected', 'suspended'])
    expect(session.lastLoss).toMatchObject({ code: 'TIMEOUT' })
    expect(runtime.transports).toHaveLength(dials)
  })

  test('leaves neither a link nor a timer behind a closed session', async () => {
    const { runtime, session, driver, transport } = await connected()
    session.close(runtime.nowMs())
    driver.drive()
    transport.receive(reply({ xid: 1, zxid: 1n, err: 0 }))
    expect(session.state).toBe('closed')
    expect(transport.isDestroyed).toBe(true)
    expect(runtime.timersAtMs).toEqual([])
  })

  test('sets no second timer while it passes over a closed session again', async () => {
    const { runtime, session, driver } = driving()
    session.close(runtime.nowMs())
    driver.drive()
    driver.drive()
    expect(runtime.timersAtMs).toEqual([])
    expect(runtime.transports).toEqual([])
  })
})

describe('Driver with SASL', () => {
  const challenge = framedToken(Buffer.from('who?'))

  async function authenticating(evaluate: SaslExchange['evaluate']) {
    const exchange: SaslExchange = { initialResponse: Buffer.from('hello'), evaluate }
    const context = driving({ sasl: async () => ({ mechanism: 'TEST', exchange }) })
    context.driver.drive()
    await context.runtime.turn()
    const { transport } = context.runtime
    transport.link.handleOpened()
    transport.receive(handshakeOf())
    return { ...context, transport }
  }

  test('lets the mechanism answer in its own time, and then opens the link to calls', async () => {
    const asked: (string | undefined)[] = []
    const { session, runtime, transport } = await authenticating(async (token) => {
      asked.push(token?.toString())
      return asked.length === 1 ? Buffer.from('me!') : null
    })
    expect(transport.written.at(-1)?.subarray(-5).toString()).toBe('hello')
    transport.receive(challenge(1))
    expect(transport.written).toHaveLength(2)
    await runtime.turn()
    expect(transport.written.at(-1)?.subarray(-3).toString()).toBe('me!')
    expect(session.state).toBe('connecting')
    transport.receive(challenge(2))
    await runtime.turn()
    expect(asked).toEqual(['who?', 'who?'])
    expect(session.state).toBe('connected')
  })

  test('drops the link if the mechanism throws, and tries another server', async () => {
    const { session, runtime, transport } = await authenticating(() => {
      throw new Error('no ticket just now')
    })
    transport.receive(challenge(1))
    await runtime.turn()
    expect(transport.isDestroyed).toBe(true)
    expect(session.lastLoss).toMatchObject({ message: 'no ticket just now' })
    await runtime.advance(1_000)
    expect(runtime.transport.target.name).toBe('zk2')
  })

  test.each([
    ['comes', () => Promise.resolve(null)],
    ['fails', () => Promise.reject(new Error('too late'))],
  ])('an answer of the mechanism that %s after the link was lost is dropped', async (_, answer) => {
    let release = () => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const { session, runtime, transport } = await authenticating(() => gate.then(answer))
    transport.receive(challenge(1))
    transport.link.handleClosed(null)
    release()
    await runtime.turn()
    expect(session.state).toBe('connecting')
    expect(session.lastLoss).toMatchObject({ code: 'CONNECTION_LOSS' })
  })

  test.each([
    ['comes', () => Promise.resolve(null)],
    ['fails', () => Promise.reject(new Error('too late'))],
  ])('an answer that %s while the link is being left is dropped', async (_, answer) => {
    const { session, runtime, transport } = await authenticating(answer)
    transport.receive(challenge(1))
    session.updateHosts(runtime.nowMs(), [{ name: 'zk3', port: 2181 }])
    await runtime.turn()
    expect(session.state).toBe('connecting')
    expect(session.lastLoss).toBeNull()
  })
})

function framedToken(token: Buffer): (xid: number) => Buffer {
  return (xid) => reply({ xid, zxid: 0n, err: 0 }, SetSASLResponse, { token })
}
