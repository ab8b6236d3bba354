import { inspect } from 'node:util'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { channels, connect, type ConnectOptions, isZooKeeperError } from '../../src/index.ts'
import { Authority, type Identity } from '../support/certificates.ts'
import { describeSecureServers, type SecureServer } from '../support/secure-servers.ts'
import { errorOf, openAt } from '../support/servers.ts'

const users = { bob: 'sentinel-sasl' }
const sasl = { mechanism: 'DIGEST-MD5', username: 'bob', password: users.bob } as const
const auth = [{ scheme: 'digest', auth: 'eve:sentinel-auth' }]

const published = [
  channels.connection,
  channels.session,
  channels.watch,
  channels.retry,
  channels.stall,
  ...['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((at) => {
    return `tracing:${channels.request}:${at}`
  }),
]

/** Neither as hexadecimal digits, nor as a buffer is inspected or made JSON. */
function expectNone(text: string, secret: Buffer): void {
  const hex = secret.toString('hex')
  for (const form of [hex, hex.replace(/..\B/g, '$& '), secret.join(), secret.join(', ')]) {
    expect(text).not.toContain(form)
  }
}

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
    expectNone(text, Buffer.from('sentinel'))
    expect(text).not.toContain('PRIVATE KEY')
    expect(text).not.toContain(client.key.split('\n')[1])
  }

  test('are in nothing that a client shows of itself: not in its states, not in its errors', async () => {
    const told: unknown[] = []
    const note = (message: unknown) => told.push(message)
    for (const name of published) subscribe(name, note)
    onTestFinished(() => {
      for (const name of published) unsubscribe(name, note)
    })
    const zk = await openAt(`zks://localhost:${server.port}`, options)
    await zk.addAuth('digest', 'ann:sentinel-added')
    const suspended = zk.waitFor('suspended')
    await server.cut()
    await suspended
    await zk.waitFor('connected')
    const error = await errorOf(zk.getData('/none'))
    const shown = [zk, zk.session, zk.runtime, zk.stats(), zk.multi().create('/a'), error]
    const exported = await zk.exportSession()

    expect(told.length).toBeGreaterThan(0)
    for (const value of [...shown, exported, told, logged]) {
      const text = printed(value)
      expectNoSecret(text)
      expectNone(text, Buffer.from(exported.reveal().password, 'hex'))
    }
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
