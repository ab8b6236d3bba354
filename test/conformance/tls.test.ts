import { lookupService } from 'node:dns/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect, CREATOR_ALL_ACL, fourLetterWords, type ZooKeeper } from '../../src/index.ts'
import { Authority, type Identity } from '../support/certificates.ts'
import { refusalOf } from '../support/first-refusal.ts'
import { errorOf, openAt } from '../support/servers.ts'
import { describeSecureServers, type SecureServer } from '../support/secure-servers.ts'

const hosts = ['localhost', '127.0.0.1']

describeSecureServers('TLS', (start) => {
  let authority: Authority
  let stranger: Authority
  let client: Identity
  let server: SecureServer
  let connectString: string

  beforeAll(async () => {
    authority = await Authority.create()
    stranger = await Authority.create('A stranger')
    client = await authority.issue({ subject: 'O=Test, CN=client' })
    const identity = await authority.issue({ subject: 'CN=server', hosts })
    server = await start({ tls: { identity, authority, clientAuth: 'want' } })
    connectString = `zks://localhost:${server.port}`
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  test('a server whose authority is trusted is used, by name and by address', async () => {
    const tls = { ca: authority.cert }
    const byName = await openAt(connectString, { tls })
    const data = Buffer.alloc(300_000, 'x')
    const { path } = await byName.create('/large-', data, { mode: 'persistent-sequential' })
    const byAddress = await openAt(`127.0.0.1:${server.port}`, { tls })
    expect((await byAddress.getData(path)).data).toEqual(data)
    expect(byAddress.server).toBe(`127.0.0.1:${server.port}`)
  })

  test('R15: a certificate of another authority is refused, and none is trusted by default', async () => {
    const refusals = [
      await refusalOf(connectString, {}),
      await refusalOf(connectString, { tls: { ca: stranger.cert } }),
    ]
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({
        code: 'TLS_FAILED',
        server: `localhost:${server.port}`,
        cause: { code: expect.stringMatching(/VERIFY_LEAF|SELF_SIGNED/) },
      })
    }
  })

  test('four-letter words are asked under the same rules', async () => {
    const tls = { ca: authority.cert }
    expect(await fourLetterWords.srvr(connectString, { tls })).toMatchObject({ mode: 'standalone' })
    const refused = await errorOf(fourLetterWords.srvr(connectString))
    expect(refused).toMatchObject({ code: 'TLS_FAILED', op: 'srvr', server: connectString })
  })

  test('connect() rejects at its deadline, and tells the last refusal', async () => {
    const error = await errorOf(connect(connectString, { connectTimeout: 1_000 }))
    expect(error).toMatchObject({
      code: 'TIMEOUT',
      op: 'connect',
      message: expect.stringContaining(`no TLS connection to localhost:${server.port}`),
      cause: { code: 'TLS_FAILED' },
    })
  })

  test('R15: a certificate must be for the host as it was named, not as it was dialled', async () => {
    const options = { tls: { ca: authority.cert }, lookup: async () => ['127.0.0.1'] }
    const refusal = await refusalOf(`zks://zk.test:${server.port}`, options)
    expect(refusal).toMatchObject({
      code: 'TLS_FAILED',
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
  })

  // CVE-2026-24281: who controls the reverse zone of an address must not choose what it may call itself.
  test('L3: a certificate for the name that an address resolves back to is none for the address', async () => {
    const { hostname } = await lookupService('127.0.0.1', 2281)
    expect(hostname).not.toBe('127.0.0.1') // so that there is a name to be led astray by
    const identity = await authority.issue({ subject: 'CN=server', hosts: [hostname] })
    await using named = await start({ tls: { identity, authority, clientAuth: 'want' } })
    const options = { tls: { ca: authority.cert } }
    expect(await refusalOf(`zks://127.0.0.1:${named.port}`, options)).toMatchObject({
      code: 'TLS_FAILED',
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
    const zk = await openAt(`zks://${hostname}:${named.port}`, options)
    expect(await zk.exists('/')).not.toBeNull()
  })

  test('R91: an environment variable does not switch verification off', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    onTestFinished(() => {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    })
    expect(await refusalOf(connectString, {})).toMatchObject({ code: 'TLS_FAILED' })
  })

  test('a certificate that has expired is refused', async () => {
    const identity = await authority.issue({ subject: 'CN=server', hosts, days: -1 })
    await using expired = await start({ tls: { identity, authority, clientAuth: 'want' } })
    const options = { tls: { ca: authority.cert } }
    expect(await refusalOf(`zks://localhost:${expired.port}`, options)).toMatchObject({
      code: 'TLS_FAILED',
      cause: { code: 'CERT_HAS_EXPIRED' },
    })
  })

  test('a client without TLS is told what the matter may be', async () => {
    const refusal = await refusalOf(`localhost:${server.port}`, {})
    expect(refusal).toMatchObject({
      code: 'CONNECTION_LOSS',
      message: expect.stringMatching(/expect TLS/),
    })
  })

  test('R15: a client certificate is an identity, which ACLs know', async () => {
    const anonymous = await openAt(connectString, { tls: { ca: authority.cert } })
    const known = await openAt(connectString, { tls: { ca: authority.cert, ...client } })
    const id = { scheme: 'x509', id: 'CN=client,O=Test' }
    const mode = 'persistent-sequential'
    const { path } = await known.create('/own-', 'x', { mode, acl: CREATOR_ALL_ACL })
    expect((await known.getACL(path)).acl).toEqual([{ perms: 31, id }])
    expect(await errorOf(anonymous.getData(path))).toMatchObject({ code: 'NO_AUTH' })
    expect((await known.getData(path)).data?.toString()).toBe('x')
  })

  test('digest needs no permission: the password is not sent in clear', async () => {
    const { ca, lookup } = { ca: authority.cert, lookup: async () => ['127.0.0.1'] }
    const identity = await authority.issue({ subject: 'CN=server', hosts: ['zk.test'] })
    await using named = await start({ tls: { identity, authority, clientAuth: 'want' } })
    const auth = [{ scheme: 'digest', auth: 'bob:secret' }]
    const zk = await openAt(`zks://zk.test:${named.port}`, { tls: { ca }, lookup, auth })
    await zk.addAuth('digest', 'ann:secret')
    await zk.create('/private', 'x', { acl: CREATOR_ALL_ACL })
    expect((await zk.getACL('/private')).acl).toHaveLength(2)
  })

  test('a session is resumed over TLS when its connection is cut', async () => {
    const zk = await openAt(connectString, { tls: { ca: authority.cert } })
    const { id } = zk.session
    const reconnected = reconnection(zk)
    await server.cut()
    await reconnected
    expect(zk.session.id).toBe(id)
    expect(await zk.exists('/')).not.toBeNull()
  })
})

describeSecureServers('TLS with client certificates demanded', (start) => {
  let authority: Authority
  let server: SecureServer
  let connectString: string
  let client: Identity

  beforeAll(async () => {
    authority = await Authority.create()
    client = await authority.issue({ subject: 'CN=client' })
    const identity = await authority.issue({ hosts })
    server = await start({ tls: { identity, authority, clientAuth: 'need' } })
    connectString = `zks://localhost:${server.port}`
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  test('R15: a client with one is let in', async () => {
    const zk = await openAt(connectString, { tls: { ca: authority.cert, ...client } })
    expect(await zk.exists('/')).not.toBeNull()
  })

  test('a client without one is refused, as one that another authority has made', async () => {
    const { cert: ca } = authority
    const forged = await (await Authority.create()).issue({ subject: 'CN=client' })
    for (const tls of [{ ca }, { ca, ...forged }]) {
      const refusal = await refusalOf(connectString, { tls })
      expect(refusal).toMatchObject({ message: expect.stringMatching(/certificate/) })
    }
  })

  // The client lives on while its certificate is renewed: no new client, no restart.
  test('R100: a provider is asked at each attempt, so that a renewed certificate is used', async () => {
    const { cert: ca } = authority
    const renewed = await authority.issue({ subject: 'CN=renewed' })
    let identity = await authority.issue({ subject: 'CN=outdated', days: -1 })
    let asked = 0
    const tls = async () => {
      if (++asked === 3) throw new Error('the vault is sealed')
      if (asked === 4) identity = client
      return { ca, ...identity }
    }
    const zk = await openAt(connectString, { tls })
    expect(asked).toBe(4)

    identity = renewed
    const reconnected = reconnection(zk)
    await server.cut()
    await reconnected
    await zk.create('/renewed', '', { acl: CREATOR_ALL_ACL })
    const [entry] = (await zk.getACL('/renewed')).acl
    expect(entry?.id).toEqual({ scheme: 'x509', id: 'CN=renewed' })
  })
})

test('a server that does not speak TLS is told from one that is broken', async () => {
  const plain = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  plain.listen(0, '127.0.0.1')
  await once(plain, 'listening')
  onTestFinished(() => void plain.close())
  const { port } = plain.address() as { port: number }
  const refusal = await refusalOf(`zks://127.0.0.1:${port}`, {})
  expect(refusal).toMatchObject({
    code: 'TLS_FAILED',
    message: expect.stringMatching(/does not speak TLS/),
  })
})

test('options with which no attempt could succeed are refused at once', async () => {
  const broken = { key: 'no key', cert: 'no certificate' }
  for (const [connectString, tls] of [
    ['localhost', broken],
    ['localhost', null as never],
    ['zks://localhost', false],
  ] as const) {
    expect(await errorOf(connect(connectString, { tls }))).toMatchObject({ code: 'BAD_ARGUMENTS' })
  }
})

/** Resolves once the client has lost its connection and has another. */
async function reconnection(zk: ZooKeeper): Promise<void> {
  await zk.waitFor('suspended')
  await zk.waitFor('connected')
}
