import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  connect,
  type ConnectOptions,
  CREATOR_ALL_ACL,
  type DigestMd5Options,
  type SaslMechanism,
  type ZooKeeper,
} from '../../src/index.ts'
import { Authority } from '../support/certificates.ts'
import { describeSecureServers, type SecureServer } from '../support/secure-servers.ts'
import { errorOf, openAt } from '../support/servers.ts'

const users = { bob: 'bobsecret', ann: 'sécret "quoted\\' }
const mechanism = 'DIGEST-MD5'
const bob = { mechanism, username: 'bob', password: users.bob } as const
const wrong = { ...bob, password: 'guess' }
const sequential = { mode: 'persistent-sequential' } as const

/** What `connect` rejects with. It must come long before the deadline. */
async function refusalOf(connectString: string, options: ConnectOptions): Promise<unknown> {
  return errorOf(connect(connectString, { connectTimeout: 60_000, ...options }))
}

describeSecureServers('SASL', (start) => {
  let server: SecureServer
  let connectString: string

  beforeAll(async () => {
    server = await start({ sasl: { users: users } })
    connectString = `127.0.0.1:${server.port}`
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  test('R25: a user is known by name to ACLs, on every connection', async () => {
    const zk = await openAt(connectString, { sasl: bob })
    const own = await zk.create('/bob-', 'x', { ...sequential, acl: CREATOR_ALL_ACL })
    const id = { scheme: 'sasl', id: 'bob' }
    expect((await zk.getACL(own.path)).acl).toEqual([{ perms: 31, id }])

    const anonymous = await openAt(connectString)
    const ann = await openAt(connectString, {
      sasl: { mechanism, username: 'ann', password: users.ann },
    })
    for (const other of [anonymous, ann]) {
      expect(await errorOf(other.getData(own.path))).toMatchObject({ code: 'NO_AUTH' })
    }

    const reconnected = reconnection(zk)
    await server.cut()
    const waiting = zk.getData(own.path) // called without a connection: it must not overtake SASL
    await reconnected
    expect((await waiting).data?.toString()).toBe('x')
  })

  test('digest identities are told behind it', async () => {
    const auth = [{ scheme: 'digest', auth: 'eve:secret' }]
    const zk = await openAt(connectString, { sasl: bob, auth })
    const { path } = await zk.create('/both-', '', { ...sequential, acl: CREATOR_ALL_ACL })
    const schemes = (await zk.getACL(path)).acl.map(({ id }) => id.scheme)
    expect(schemes.sort()).toEqual(['digest', 'sasl'])
  })

  test('L8: a wrong password ends connect() at once, with its reason', async () => {
    const error = await refusalOf(connectString, { sasl: wrong })
    expect(error).toMatchObject({
      code: 'AUTH_FAILED',
      op: 'connect',
      server: connectString,
      message: expect.stringMatching(/rejected the DIGEST-MD5 authentication/),
      retriable: false,
    })
  })

  // Passwords are changed while clients live: the provider tells the new one at the next attempt.
  test('a provider is asked at each attempt', async () => {
    let asked = 0
    const zk = await openAt(connectString, {
      sasl: async () => {
        if (++asked === 1) throw new Error('the vault is sealed')
        return bob
      },
    })
    expect(asked).toBe(2)
    const reconnected = reconnection(zk)
    await server.cut()
    await reconnected
    expect(asked).toBeGreaterThan(2)
  })

  test('a password that is wrong after a reconnect ends the client, and is told once', async () => {
    let sasl: DigestMd5Options = bob
    const zk = await openAt(connectString, { sasl: () => sasl })
    const states: string[] = []
    const ended = (async () => {
      for await (const { state } of zk.states()) states.push(state)
    })()
    sasl = wrong
    const suspended = zk.waitFor('suspended')
    await server.cut()
    await suspended
    expect(await errorOf(zk.waitFor('connected'))).toMatchObject({ code: 'AUTH_FAILED' })
    await ended
    expect(states).toEqual(['suspended', 'auth-failed'])
    expect(await errorOf(zk.exists('/'))).toMatchObject({ code: 'AUTH_FAILED' })
  })

  test('a mechanism of one’s own may take its time, and several steps', async () => {
    const steps: (string | undefined)[] = []
    const own: SaslMechanism = {
      name: 'OWN',
      async begin({ name, port }) {
        await Promise.resolve()
        steps.push(`${name}:${port}`)
        return {
          initialResponse: new Uint8Array(0),
          async evaluate(challenge) {
            await Promise.resolve()
            steps.push(
              Buffer.from(challenge ?? '')
                .toString()
                .slice(0, 5),
            )
            return null
          },
        }
      },
    }
    // It is content with the challenge alone, and has proved nothing.
    const zk = await openAt(connectString, { sasl: own })
    expect(steps).toEqual([connectString, 'realm'])
    const error = await errorOf(zk.create('/own', '', { acl: CREATOR_ALL_ACL }))
    expect(error).toMatchObject({ code: 'INVALID_ACL' })
  })

  test('an answer that the server does not understand is refused', async () => {
    const own: SaslMechanism = {
      name: 'OWN',
      begin: () => ({
        initialResponse: new Uint8Array(0),
        evaluate: () => Buffer.from('hello, ='),
      }),
    }
    const error = await refusalOf(connectString, { sasl: own })
    expect(error).toMatchObject({
      code: 'AUTH_FAILED',
      message: expect.stringMatching(/rejected the OWN/),
    })
  })
})

describeSecureServers('SASL that is demanded', (start) => {
  let server: SecureServer
  let connectString: string
  beforeAll(async () => {
    server = await start({ sasl: { users, required: true } })
    connectString = `127.0.0.1:${server.port}`
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  test('R25: lets in whoever authenticates', async () => {
    const zk = await openAt(connectString, { sasl: bob })
    expect(await zk.exists('/')).not.toBeNull()
  })

  test('L11: ends a client that does not, at its first request', async () => {
    const zk = await openAt(connectString)
    const required = { code: 'SESSION_CLOSED_REQUIRE_SASL_AUTH', errno: -124 }
    expect(await errorOf(zk.exists('/'))).toMatchObject(required)
    expect(zk.state).toBe('auth-failed')
    expect(await errorOf(zk.exists('/'))).toMatchObject(required)
  })

  test('tells a wrong password as such a demand', async () => {
    const error = await refusalOf(connectString, { sasl: wrong })
    expect(error).toMatchObject({ code: 'SESSION_CLOSED_REQUIRE_SASL_AUTH', op: 'connect' })
  })
})

describeSecureServers('SASL at a server without it', (start) => {
  test('ends connect(): nothing is sent unauthenticated', async () => {
    await using server = await start({})
    const error = await refusalOf(`127.0.0.1:${server.port}`, { sasl: bob })
    expect(error).toMatchObject({
      code: 'AUTH_FAILED',
      message: expect.stringMatching(/does not take part in SASL/),
    })
  })
})

describeSecureServers('SASL over TLS', (start) => {
  test('gives both identities', async () => {
    const authority = await Authority.create()
    const identity = await authority.issue({ hosts: ['localhost'] })
    const client = await authority.issue({ subject: 'CN=client' })
    await using server = await start({
      tls: { identity, authority, clientAuth: 'need' },
      sasl: { users },
    })
    const tls = { ca: authority.cert, ...client }
    const zk = await openAt(`zks://localhost:${server.port}`, { tls, sasl: bob })
    await zk.create('/a', '', { acl: CREATOR_ALL_ACL })
    const schemes = (await zk.getACL('/a')).acl.map(({ id }) => id.scheme)
    expect(schemes.sort()).toEqual(['sasl', 'x509'])
  })
})

test.each([
  ['another mechanism by name', { mechanism: 'PLAIN', username: 'bob', password: 'x' }],
  ['no user', { mechanism, username: '', password: 'x' }],
  ['no password', { mechanism, username: 'bob' }],
  ['an object without methods', { name: 'OWN' }],
  ['nothing', null],
])('%s for sasl is refused at once', async (_, sasl) => {
  const error = await errorOf(connect('localhost', { sasl: sasl as never }))
  expect(error).toMatchObject({ code: 'BAD_ARGUMENTS' })
})

/** Resolves once the client has lost its connection and has another. */
async function reconnection(zk: ZooKeeper): Promise<void> {
  await zk.waitFor('suspended')
  await zk.waitFor('connected')
}
