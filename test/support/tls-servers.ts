import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { TestServer } from '../../src/testing/index.ts'
import { type Authority, type Identity } from './certificates.ts'
import { freePort } from './free-port.ts'
import { describeReal } from './shared-zookeeper.ts'
import { ZooKeeperServer } from './zookeeper-server.ts'

/** How a server speaks TLS. */
export interface TlsServerOptions {
  readonly identity: Identity
  /** Whose client certificates it believes. */
  readonly authority: Authority
  /** Whether it demands a client certificate, or takes one if there is one. */
  readonly clientAuth: 'need' | 'want'
}

/** A server that speaks TLS at `127.0.0.1:port`. */
export interface TlsServer extends AsyncDisposable {
  readonly port: number
  /** Resets all connections, by a restart if need be. */
  cut(): Promise<void>
}

export type StartTlsServer = (options: TlsServerOptions) => Promise<TlsServer>

/** A suite on in-process servers and again on real ones, which it starts itself. */
export function describeTlsServers(title: string, body: (start: StartTlsServer) => void): void {
  describe(`${title} [in-process server]`, () => {
    body(startTestServer)
  })
  describeReal(title, () => {
    body(startZooKeeper)
  })
}

const startTestServer: StartTlsServer = async ({ identity, authority, clientAuth }) => {
  const server = await TestServer.start({
    tls: {
      ...identity,
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: clientAuth === 'need',
    },
  })
  return {
    port: server.port,
    cut: async () => {
      server.cut()
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
}

const startZooKeeper: StartTlsServer = async ({ identity, authority, clientAuth }) => {
  const folder = await mkdtemp(join(tmpdir(), 'zoowire-tls-'))
  const port = await freePort()
  const keyStore = join(folder, 'server.pem')
  const trustStore = join(folder, 'authority.pem')
  await writeFile(keyStore, identity.key + identity.cert + '\n')
  await writeFile(trustStore, authority.cert)
  const server = await ZooKeeperServer.start({
    config: {
      secureClientPort: port,
      secureClientPortAddress: '127.0.0.1',
      serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
      'ssl.keyStore.location': keyStore,
      'ssl.trustStore.location': trustStore,
      'ssl.clientAuth': clientAuth,
    },
  })
  return {
    port,
    cut: () => server.restart(),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
