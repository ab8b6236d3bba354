import { constants } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ChannelMessages, channels, connect, CREATOR_ALL_ACL } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { type Break, ByteProxy } from '../support/byte-proxy.ts'
import { Authority } from '../support/certificates.ts'
import { openAt } from '../support/servers.ts'

// Whatever comes between the dial and the first request may break off behind any byte: the next host
// is dialled, at once or when the time for a handshake is over, and nobody is told of a session.

const quick = { sessionTimeout: 3_000, backoff: { msMin: 1, msMax: 1 } } // a handshake has 1 s
const directions = ['to-server', 'to-client'] as const

type Step = ChannelMessages['connection']

/** What becomes of the connections of all clients until the test is over. */
function connectionSteps(onAccepted = () => {}): Step[] {
  const steps: Step[] = []
  const note = (message: unknown) => {
    const step = message as Step
    steps.push(step)
    if (step.link === 'attached') onAccepted()
  }
  subscribe(channels.connection, note)
  onTestFinished(() => {
    unsubscribe(channels.connection, note)
  })
  return steps
}

/** From now on connection n breaks behind its byte n, until one of them is what the client waits for. */
function sweep(proxy: ByteProxy, direction: Break['direction']): Step[] {
  const first = proxy.dialled.length
  proxy.breakAt = (nth) => {
    return { direction, bytes: nth - first, then: nth % 2 === 0 ? 'end' : 'reset' }
  }
  return connectionSteps(() => {
    proxy.mend()
  })
}

const failuresOf = (steps: readonly Step[]) => steps.filter(({ trigger }) => trigger === 'failed')

/** Another host each time. */
function expectTurns({ dialled }: ByteProxy): void {
  expect(dialled.filter((port, nth) => port === dialled[nth + 1])).toEqual([])
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP|TLS/.test(name)).length
}

/** A server of one version, and clients that have a certificate where asked. */
async function startSecurely(version: 'TLSv1.2' | 'TLSv1.3', requestCert: boolean) {
  const authority = await Authority.create()
  const identity = await authority.issue({ hosts: ['localhost'] })
  const client = requestCert ? await authority.issue({ subject: 'CN=client' }) : {}
  const { cert: ca } = authority
  const versions = { minVersion: version, maxVersion: version }
  const secureOptions = constants.SSL_OP_NO_TICKET // they are long, and behind the handshake
  const tls = { ...identity, ...versions, ca, requestCert, secureOptions }
  return { server: await TestServer.start({ tls }), tls: { ca, ...client } }
}

function hostsOf({ ports }: ByteProxy): string {
  return `zks://${ports.map((port) => `localhost:${port}`).join()}`
}

describe.each([
  ['TLS 1.2', 'TLSv1.2', false],
  ['TLS 1.3 with client certificates', 'TLSv1.3', true],
] as const)('L6: a handshake of %s', (_, version, requestCert) => {
  test.each(directions)(
    'that is cut behind any byte %s leads to the next host',
    async (way) => {
      {
        const { server: started, tls } = await startSecurely(version, requestCert)
        await using server = started
        await using proxy = await ByteProxy.start(server.port)
        const steps = sweep(proxy, way)
        await using zk = await connect(hostsOf(proxy), { ...quick, tls, connectTimeout: 60_000 })
        expect(zk.state).toBe('connected')
        const attempts = proxy.dialled.length
        expect(attempts).toBeGreaterThan(400) // each byte had its turn
        expectTurns(proxy)
        expect(failuresOf(steps)).toHaveLength(attempts - 1)
        expect(steps.filter(({ link }) => link === 'attached')).toHaveLength(1)
      }
      await expect.poll(openSockets).toBe(0)
    },
    60_000,
  )

  test('that stalls behind any of its parts is given up in time for the next host', async () => {
    const { server: started, tls } = await startSecurely(version, requestCert)
    await using server = started
    const points = directions.flatMap((direction) =>
      [0, 1, 5, 200, 400].map((bytes) => ({ direction, bytes, then: 'stall' }) as const),
    )
    const steps = connectionSteps()
    await Promise.all(
      points.map(async (point) => {
        await using proxy = await ByteProxy.start(server.port)
        proxy.breakAt = (nth) => (nth === 0 ? point : null)
        await using zk = await connect(hostsOf(proxy), { ...quick, tls })
        expect(zk.state).toBe('connected')
        expect(proxy.dialled).toHaveLength(2)
        expectTurns(proxy)
      }),
    )
    for (const { cause } of failuresOf(steps)) {
      expect(cause).toMatchObject({ code: 'TIMEOUT', message: expect.stringMatching(/too long/) })
    }
    expect(failuresOf(steps)).toHaveLength(points.length)
  })
})

test.each(directions)(
  'L10: SASL that is cut behind any byte %s begins anew elsewhere',
  async (way) => {
    const users = { bob: 'bobsecret' }
    await using server = await TestServer.start({ sasl: { users } })
    await using proxy = await ByteProxy.start(server.port)
    const zk = await openAt(proxy.ports.map((port) => `127.0.0.1:${port}`).join(), {
      ...quick,
      sessionTimeout: 30_000,
      sasl: { mechanism: 'DIGEST-MD5', username: 'bob', password: users.bob },
    })
    await zk.create('/bob', 'x', { acl: CREATOR_ALL_ACL })
    const { id } = zk.session

    const suspended = zk.waitFor('suspended')
    proxy.cut()
    const steps = sweep(proxy, way)
    await suspended
    expect((await zk.getData('/bob')).data?.toString()).toBe('x')
    expect(zk.session.id).toBe(id)
    expectTurns(proxy)
    expect(proxy.dialled.length).toBeGreaterThan(way === 'to-server' ? 300 : 200)
    const told = inspect(steps, { depth: Infinity, showHidden: true })
    expect(told).toContain('CONNECTION_LOSS')
    expect(told).not.toContain(users.bob)
  },
)
