/**
 * `examples/gssapi.ts` with a Kerberos realm and a real ZooKeeper, both started here: `npm run test:gssapi`.
 *
 * It needs MIT's KDC (Debian: krb5-kdc, krb5-admin-server, krb5-user), and installs the native package
 * `kerberos` into the cache. Without them it is skipped, with the reason.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gssapi, type Kerberos } from '../../examples/gssapi.ts'
import { connect, type ConnectOptions, isZooKeeperError } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'
import { Realm } from './realm.ts'

const cache = fileURLToPath(new URL('../../node_modules/.cache/zoowire/kerberos', import.meta.url))
const login = 'com.sun.security.auth.module.Krb5LoginModule'

async function loadKerberos(): Promise<Kerberos> {
  const load = createRequire(join(cache, 'package.json'))
  try {
    return load('kerberos') as Kerberos
  } catch {
    await mkdir(cache, { recursive: true })
    await promisify(execFile)('npm', ['install', '--prefix', cache, '--silent', 'kerberos@7'])
    return load('kerberos') as Kerberos
  }
}

/** One that lets nobody in without a ticket. */
function startServer(realm: Realm, keytab: string): Promise<ZooKeeperServer> {
  const principal = realm.principal('zookeeper/localhost')
  const options = `useKeyTab=true keyTab="${keytab}" storeKey=true useTicketCache=false`
  return ZooKeeperServer.start({
    files: {
      'jaas.conf': `Server { ${login} required ${options} principal="${principal}"; };\n`,
    },
    config: {
      'authProvider.1': 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
      sessionRequireClientSASLAuth: true,
      'kerberos.removeHostFromPrincipal': true,
      'kerberos.removeRealmFromPrincipal': true,
    },
    jvmProperties: {
      'java.security.auth.login.config': '{folder}/jaas.conf',
      'java.security.krb5.conf': realm.configFile,
    },
  })
}

async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => assert.fail('it should have been rejected'),
    (error: unknown) => error as Error,
  )
}

const checks: Readonly<Record<string, (set: Stage) => Promise<void>>> = {
  async 'a client with a ticket is let in, and ACLs know its name'({ open, connectString }) {
    await using zk = await open()
    const id = { scheme: 'sasl', id: 'alice' }
    await zk.create('/mine', 'x', { acl: [{ perms: 31, id }] })
    assert.equal(String((await zk.getData('/mine')).data), 'x')
    assert.ok(
      (await zk.whoAmI()).some(({ authScheme, user }) => authScheme === 'sasl' && user === 'alice'),
    )
    const unknown = await connect(connectString)
    const refused = await errorOf(unknown.getData('/mine'))
    assert.ok(isZooKeeperError(refused, 'SESSION_CLOSED_REQUIRE_SASL_AUTH'))
    await unknown.close()
  },

  async 'it authenticates on every connection, and its session goes on'({ open, server }) {
    await using zk = await open()
    const { id } = zk.session
    const suspended = zk.waitFor('suspended')
    await server.restart()
    await suspended
    await zk.waitFor('connected')
    assert.equal(String((await zk.getData('/mine')).data), 'x')
    assert.equal(zk.session.id, id)
  },

  async 'without a ticket the attempt fails, and goes well as soon as there is one'({
    open,
    realm,
    logIn,
  }) {
    await realm.logout()
    const error = await errorOf(open({ connectTimeout: 500 }))
    assert.ok(isZooKeeperError(error, 'TIMEOUT'))
    assert.match(String(error.cause), /credential|ticket|cache/i)
    const connecting = open({ connectTimeout: 20_000 })
    await logIn()
    await using zk = await connecting
    assert.equal(String((await zk.getData('/mine')).data), 'x')
  },

  async 'a server that takes no part in SASL ends the client'({ kerberos }) {
    await using server = await TestServer.start()
    const connecting = connect(`localhost:${server.port}`, { sasl: gssapi(kerberos) })
    assert.ok(isZooKeeperError(await errorOf(connecting), 'AUTH_FAILED'))
  },

  async 'a server of another name gets no ticket'({ open }) {
    const error = await errorOf(open({ connectTimeout: 500 }, 'elsewhere'))
    assert.ok(isZooKeeperError(error, 'TIMEOUT'))
    assert.match(String(error.cause), /elsewhere|not found/i)
  },
}

interface Stage {
  readonly kerberos: Kerberos
  readonly realm: Realm
  readonly server: ZooKeeperServer
  readonly connectString: string
  readonly logIn: () => Promise<void>
  readonly open: (options?: ConnectOptions, service?: string) => ReturnType<typeof connect>
}

async function main(): Promise<void> {
  let kerberos: Kerberos
  let realm: Realm
  try {
    realm = await Realm.start()
    Object.assign(process.env, realm.env)
    kerberos = await loadKerberos()
  } catch (error) {
    console.log(`gssapi: skipped: ${error instanceof Error ? error.message : String(error)}`)
    return
  }
  const keytab = await realm.add('alice')
  const logIn = () => realm.login('alice', keytab)
  await logIn()
  const server = await startServer(realm, await realm.add('zookeeper/localhost'))
  const connectString = `localhost:${server.port}`
  const open: Stage['open'] = (options = {}, service = 'zookeeper') =>
    connect(connectString, { sasl: gssapi(kerberos, service), ...options })
  try {
    for (const [name, check] of Object.entries(checks)) {
      await check({ kerberos, realm, server, connectString, logIn, open })
      console.log(`ok ${name}`)
    }
  } finally {
    await server[Symbol.asyncDispose]()
    await realm[Symbol.asyncDispose]()
  }
}

await main()
