import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect, type ConnectOptions, CREATOR_ALL_ACL } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { Authority, type Identity } from '../support/certificates.ts'
import { refusalOf } from '../support/first-refusal.ts'
import { pkcs12Of } from '../support/pkcs12.ts'
import { describeSecureServers } from '../support/secure-servers.ts'
import { errorOf, openAt } from '../support/servers.ts'

const hosts = ['localhost']
const clientAuth = 'want'

describeSecureServers('a certificate of the server', (start) => {
  let authority: Authority
  let tls: { readonly ca: string }

  beforeAll(async () => {
    authority = await Authority.create()
    tls = { ca: authority.cert }
  })

  test.each([
    ['that is not valid yet', { daysUntilValid: 1, days: 2 }, 'CERT_NOT_YET_VALID'],
    ['that is for clients', { usage: 'client' }, 'INVALID_PURPOSE'],
  ] as const)('L1: %s is refused', async (_, flaw, code) => {
    const identity = await authority.issue({ hosts, ...flaw })
    await using server = await start({ tls: { identity, authority, clientAuth } })
    expect(await refusalOf(`zks://localhost:${server.port}`, { tls })).toMatchObject({
      code: 'TLS_FAILED',
      server: `localhost:${server.port}`,
      cause: { code },
    })
  })

  test('R90: that its authority has revoked is refused, and no other', async () => {
    const [identity, other] = [await authority.issue({ hosts }), await authority.issue({ hosts })]
    await using server = await start({ tls: { identity, authority, clientAuth } })
    const connectString = `zks://localhost:${server.port}`
    const revoked = { ...tls, crl: await authority.revoke(other, identity) }
    expect(await refusalOf(connectString, { tls: revoked })).toMatchObject({
      code: 'TLS_FAILED',
      cause: { code: 'CERT_REVOKED' },
    })
    const zk = await openAt(connectString, { tls: { ...tls, crl: await authority.revoke(other) } })
    expect(await zk.exists('/')).not.toBeNull()
  })

  // Node does not compare names in a resumed TLS session: a ticket must not open another server's door.
  test('is looked at whatever ticket the client has from another server', async () => {
    const identity = await authority.issue({ hosts })
    await using server = await start({ tls: { identity, authority, clientAuth } })
    const session = await ticketOf(server.port, authority)
    const zk = await openAt(`zks://localhost:${server.port}`, { tls: { ...tls, session } })
    expect(await zk.exists('/')).not.toBeNull()

    const wrong = await authority.issue({ hosts: ['elsewhere'] })
    await using impostor = await start({ tls: { identity: wrong, authority, clientAuth } })
    const options = { tls: { ...tls, session } }
    expect(await refusalOf(`zks://localhost:${impostor.port}`, options)).toMatchObject({
      code: 'TLS_FAILED',
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
  })
})

describeSecureServers('a version of TLS', (start) => {
  test.each([
    ['TLSv1.2', { minVersion: 'TLSv1.3' }],
    ['TLSv1.3', { maxVersion: 'TLSv1.2' }],
  ] as const)(
    '%s alone will do; a client that may not speak it says so',
    async (version, limit) => {
      const authority = await Authority.create()
      const identity = await authority.issue({ hosts })
      await using server = await start({ tls: { identity, authority, clientAuth, version } })
      const connectString = `zks://localhost:${server.port}`
      const tls = { ca: authority.cert }
      const zk = await openAt(connectString, { tls })
      expect(await zk.exists('/')).not.toBeNull()
      expect(await refusalOf(connectString, { tls: { ...tls, ...limit } })).toMatchObject({
        code: 'TLS_FAILED',
        cause: { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' },
      })
    },
  )
})

describeSecureServers('a key of the client', (start) => {
  const passphrase = 'open sesame'
  let authority: Authority
  let client: Identity
  let locked: { readonly cert: string; readonly key: string | Buffer }

  beforeAll(async () => {
    authority = await Authority.create()
    client = await authority.issue({ subject: 'O=Test, CN=locked' })
    const format = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const
    locked = { cert: client.cert, key: createPrivateKey(client.key).export(format) }
  })

  const startDemanding = async () => {
    const identity = await authority.issue({ hosts })
    return start({ tls: { identity, authority, clientAuth: 'need' } })
  }

  test.each([
    ['under a passphrase', () => locked],
    ['as PKCS#12', () => ({ pfx: pkcs12Of(client, passphrase) })],
  ])('%s is used', async (_, material) => {
    await using server = await startDemanding()
    const tls = { ca: authority.cert, ...material(), passphrase }
    const zk = await openAt(`zks://localhost:${server.port}`, { tls })
    await zk.create('/a', '', { acl: CREATOR_ALL_ACL })
    const [entry] = (await zk.getACL('/a')).acl
    expect(entry?.id).toEqual({ scheme: 'x509', id: 'CN=locked,O=Test' })
  })

  test.each([
    ['a key', () => locked],
    ['PKCS#12', () => ({ pfx: pkcs12Of(client, passphrase) })],
  ])('under another passphrase: %s is refused at once, or asked for again', async (_, material) => {
    await using server = await startDemanding()
    const connectString = `zks://localhost:${server.port}`
    const wrong = { ca: authority.cert, ...material(), passphrase: 'open barley' }
    const refused = await errorOf(connect(connectString, { tls: wrong }))
    expect(refused).toMatchObject({ code: 'BAD_ARGUMENTS' })
    expect(String(refused)).not.toContain('barley')

    expect(await refusalOf(connectString, { tls: () => wrong })).toMatchObject({
      code: 'TLS_FAILED',
      server: `localhost:${server.port}`,
      message: expect.not.stringContaining('barley'),
      cause: expect.any(Error),
    })
    let asked = 0
    const tls = () => (++asked === 1 ? wrong : { ...wrong, passphrase })
    const zk = await openAt(connectString, { tls })
    expect(asked).toBe(2)
    expect(await zk.exists('/')).not.toBeNull()
  })
})

describe('the greeting of a client', () => {
  /** A server that notes which names it is called by, and which protocols it is offered. */
  async function startListening(...names: string[]) {
    const authority = await Authority.create()
    const called: string[] = []
    const offered: unknown[] = []
    const server = await TestServer.start({
      tls: {
        ...(await authority.issue({ hosts: names })),
        SNICallback: (name, done) => {
          called.push(name)
          done(null)
        },
        ALPNCallback: ({ protocols }) => {
          offered.push(protocols)
          return undefined
        },
      },
    })
    onTestFinished(() => server.close())
    const lookup = async () => ['127.0.0.1']
    const greet = async (host: string, tls: ConnectOptions['tls'] = {}) => {
      const options = { lookup, tls: { ca: authority.cert, ...(tls as object) } }
      await (await connect(`zks://${host}:${server.port}`, options)).close()
      return called.splice(0)
    }
    return { greet, offered }
  }

  test('R90: names the host as it was configured, whatever address it has', async () => {
    const { greet } = await startListening('zk.test', 'other.test')
    expect(await greet('zk.test')).toEqual(['zk.test'])
    expect(await greet('zk.test', { servername: 'other.test' })).toEqual(['other.test'])
  })

  test('R90: names nobody if the host was configured by its address', async () => {
    const { greet } = await startListening('127.0.0.1')
    expect(await greet('127.0.0.1')).toEqual([])
  })

  test('offers no protocols to choose from', async () => {
    const { greet, offered } = await startListening('zk.test')
    await greet('zk.test')
    expect(offered).toEqual([])
  })
})

/** A ticket with which a TLS session can be resumed at that server. */
async function ticketOf(port: number, authority: Authority): Promise<Buffer> {
  const socket = connectTls({ port, ca: authority.cert, servername: 'localhost' })
  const [session] = (await once(socket, 'session')) as [Buffer]
  socket.destroy()
  return session
}
