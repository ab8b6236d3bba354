import { afterAll, beforeAll, describe, onTestFinished, test } from 'vitest'
import { randomUUID } from 'node:crypto'
import { connect, type ConnectOptions, type ZooKeeper } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { describeReal } from './shared-zookeeper.ts'

/** A server that a semantic test runs on. */
export interface Server {
  readonly connectString: string
  /** For instance `3.9.5`. */
  readonly version: string
}

/**
 * A suite on the in-process server and again on the real one: both must behave alike.
 */
export function describeServers(title: string, body: (server: Server) => void): void {
  describe(`${title} [in-process server]`, () => {
    let server: TestServer | undefined
    beforeAll(async () => {
      server = await TestServer.start()
    })
    afterAll(async () => {
      await server?.close()
    })
    body({
      get connectString() {
        return server!.connectString
      },
      version: '3.9.0',
    })
  })
  describeReal(title, body)
}

/** `test` for what servers know from `version` on; on older ones it skips, and says why. */
export function testSince(server: Pick<Server, 'version'>, version: string) {
  // None is known where the tests are only collected, to be skipped.
  if (server.version === '' || isAtLeast(server.version, version)) return test
  console.warn(`skipped: what ZooKeeper ${server.version} does not know: it came with ${version}`)
  return test.skip
}

function isAtLeast(version: string, least: string): boolean {
  return version.localeCompare(least, 'en', { numeric: true }) >= 0
}

/** A client in a chroot of its own, closed when the test is over. */
export async function open(server: Server, options: ConnectOptions = {}): Promise<ZooKeeper> {
  return openAt(server.connectString + (await newChroot(server)), options)
}

/** A client at a connect string, closed when the test is over. */
export async function openAt(
  connectString: string,
  options: ConnectOptions = {},
): Promise<ZooKeeper> {
  const zk = await connect(connectString, { sessionTimeout: 10_000, ...options })
  onTestFinished(() => zk.close())
  return zk
}

/** A znode that no other test uses. */
export async function newChroot(server: Server): Promise<string> {
  const zk = await connect(server.connectString)
  const { path } = await zk.create(`/test-${randomUUID()}`)
  await zk.close()
  return path
}

/** The error a promise rejects with; throws if it does not reject. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('the promise was expected to reject')
}
