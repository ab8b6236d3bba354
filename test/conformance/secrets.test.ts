import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type ConnectOptions, isZooKeeperError } from '../../src/index.ts'
import { Authority, type Identity } from '../support/certificates.ts'
import { describeSecureServers, type SecureServer } from '../support/secure-servers.ts'
import { errorOf, openAt } from '../support/servers.ts'

const users = { bob: 'sentinel-sasl' }
const sasl = { mechanism: 'DIGEST-MD5', username: 'bob', password: users.bob } as const
const auth = [{ scheme: 'digest', auth: 'eve:sentinel-auth' }]

/** Everything that a careless program may print of a value. */
function printed(value: unknown): string {
  const json = JSON.stringify(value, (_, part: unknown) => {
    return typeof part === 'bigint' ? String(part) : part
  })
  const own = value instanceof Error ? [value.stack, value.message] : []
  return [inspect(value, { depth: Infinity, showHidden: true, getters: true }), json, ...own].join()
}

describeSecureServers('secrets', (start) => {
  let authority: Authority
  let client: Identity
  let server: SecureServer
  let options: ConnectOptions
  const logged: unknown[] = []

  beforeAll(async () => {
    authority = await Authority.create()
    client = await authority.issue({ subject: 'CN=client' })
    const identity = await authority.issue({ hosts: ['localhost'] })
    server = await start({ tls: { identity, authority, clientAuth: 'need' }, sasl: { users } })
    const note = (...details: unknown[]) => logged.push(details)
    const logger = { debug: note, info: note, warn: note, error: note }
    const tls = { ca: authority.cert, passphrase: 'sentinel-passphrase', ...client }
    options = { tls, sasl, auth, logger }
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  /** The base64 of the key, and of what else nobody must see. */
  const expectNoSecret = (text: string) => {
    expect(text).not.toContain('sentinel')
    expect(text).not.toContain(Buffer.from('sentinel').toString('hex').replace(/..\B/g, '$& '))
    expect(text).not.toContain('PRIVATE KEY')
    expect(text).not.toContain(client.key.split('\n')[1])
  }

  test('are in nothing that a client shows of itself: not in its states, not in its errors', async () => {
    const connectString = `zks://localhost:${server.port}`
    const zk = await openAt(connectString, options)
    await zk.addAuth('digest', 'ann:sentinel-added')
    const shown: unknown[] = [zk, zk.session, zk.runtime, logged]
    const states = zk.states()
    const suspended = zk.waitFor('suspended')
    await server.cut()
    await suspended
    await zk.waitFor('connected')
    const { value: change } = await states[Symbol.asyncIterator]().next()
    shown.push(
      change,
      zk.multi().create('/a'),
      zk.getData('/none').catch(() => undefined),
    )
    shown.push(await errorOf(zk.getData('/none')))
    for (const value of shown) expectNoSecret(printed(value))
  })

  test('are in no refusal', async () => {
    const connectString = `zks://localhost:${server.port}`
    const refused: ConnectOptions[] = [
      { ...options, sasl: { ...sasl, password: 'sentinel-guess' } },
      { ...options, connectTimeout: 500, tls: { ...client } },
      { ...options, connectTimeout: 500, tls: async () => ({ key: `sentinel ${client.key}` }) },
      { ...options, tls: { key: 'sentinel', cert: client.key } },
      { ...options, sasl: { ...sasl, username: '' } },
      {
        ...options,
        auth: [{ scheme: 'sentinel-free', auth: 'sentinel-auth' }].slice(1),
        tls: false,
      },
    ]
    for (const one of refused) {
      const error = await errorOf(connect(connectString, one))
      expect(isZooKeeperError(error)).toBe(true)
      expectNoSecret(printed(error))
    }
  })
})

test('a password is refused on its way to another machine, and not repeated', async () => {
  const error = await errorOf(connect('zookeeper.invalid', { auth }))
  expect(error).toMatchObject({ code: 'BAD_ARGUMENTS' })
  expect(printed(error)).not.toContain('sentinel')
})
