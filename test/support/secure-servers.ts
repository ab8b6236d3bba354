import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe } from 'vitest'
import { type SaslOptions, TestServer } from '../../src/testing/index.ts'
import { type Authority, type Identity } from './certificates.ts'
import { freePort } from './free-port.ts'
import { describeReal } from './shared-zookeeper.ts'
import { type ZooKeeperServerOptions } from './zookeeper-config.ts'
import { ZooKeeperServer } from './zookeeper-server.ts'

/** How a server speaks TLS. */
export interface TlsServerOptions {
  readonly identity: Identity
  /** Whose client certificates it believes. */
  readonly authority: Authority
  /** Whether it demands a client certificate, or takes one if there is one. */
  readonly clientAuth: 'need' | 'want'
  /** The only version that it speaks; by default whatever it speaks by default. */
  readonly version?: 'TLSv1.2' | 'TLSv1.3'
}

export interface SecureServerOptions {
  readonly tls?: TlsServerOptions
  readonly sasl?: SaslOptions
}

/** A server at `127.0.0.1:port`, which speaks TLS there if it speaks TLS. */
export interface SecureServer extends AsyncDisposable {
  readonly port: number
  /** Ends all connections, by a restart if need be. */
  cut(): Promise<void>
}

export type StartSecureServer = (options: SecureServerOptions) => Promise<SecureServer>

/** A suite on in-process servers and again on real ones, which it starts itself. */
export function describeSecureServers(
  title: string,
  body: (start: StartSecureServer) => void,
): void {
  describe(`${title} [in-process server]`, () => {
    body(startTestServer)
  })
  describeReal(title, () => {
    body(startZooKeeper)
  })
}

const startTestServer: StartSecureServer = async ({ tls, sasl }) => {
  const server = await TestServer.start({
    ...(tls !== undefined && {
      tls: {
        ...tls.identity,
        ca: tls.authority.cert,
        requestCert: true,
        rejectUnauthorized: tls.clientAuth === 'need',
        ...(tls.version !== undefined && { minVersion: tls.version, maxVersion: tls.version }),
      },
    }),
    ...(sasl !== undefined && { sasl }),
  })
  return {
    port: server.port,
    cut: async () => {
      server.cut()
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
}

const startZooKeeper: StartSecureServer = async ({ tls, sasl }) => {
  const securePort = await freePort()
  const secured = [
    ...(tls === undefined ? [] : [withTls(securePort, tls)]),
    ...(sasl === undefined ? [] : [withSasl(sasl)]),
  ]
  const server = await ZooKeeperServer.start({
    files: Object.assign({}, ...secured.map(({ files }) => files)),
    config: Object.assign({}, ...secured.map(({ config }) => config)),
    jvmProperties: Object.assign({}, ...secured.map(({ jvmProperties }) => jvmProperties)),
  })
  if (tls !== undefined) await untilListening(securePort)
  return {
    port: tls === undefined ? server.port : securePort,
    cut: () => server.restart(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** It opens a moment behind the port for clients without TLS. */
async function untilListening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return
    } catch {
      await delay(20)
    } finally {
      socket.destroy()
    }
  }
}

function withTls(
  port: number,
  { identity, authority, clientAuth, version }: TlsServerOptions,
): ZooKeeperServerOptions {
  return {
    files: {
      'server.pem': `${identity.key}${identity.cert}\n`,
      'authority.pem': authority.cert,
    },
    config: {
      secureClientPort: port,
      secureClientPortAddress: '127.0.0.1',
      serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
      'ssl.keyStore.location': '{folder}/server.pem',
      'ssl.trustStore.location': '{folder}/authority.pem',
      'ssl.clientAuth': clientAuth,
      ...(version !== undefined && { 'ssl.protocol': version, 'ssl.enabledProtocols': version }),
      // Servers before 3.8 have none of these in their list.
      ...(version === 'TLSv1.3' && { 'ssl.ciphersuites': 'TLS_AES_128_GCM_SHA256' }),
    },
  }
}

function withSasl({ users, required = false }: SaslOptions): ZooKeeperServerOptions {
  const lines = Object.entries(users).map(([user, password]) => {
    return `user_${user}="${password.replace(/["\\]/g, '\\$&')}"`
  })
  const login = 'org.apache.zookeeper.server.auth.DigestLoginModule'
  return {
    files: { 'jaas.conf': `Server { ${login} required ${lines.join(' ')}; };\n` },
    config: {
      'authProvider.1': 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
      sessionRequireClientSASLAuth: required,
      'fips-mode': false, // since 3.9 it is on by default, and forbids MD5
    },
    jvmProperties: { 'java.security.auth.login.config': '{folder}/jaas.conf' },
  }
}
