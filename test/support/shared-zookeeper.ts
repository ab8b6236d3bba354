import { describe, inject } from 'vitest'
import type { ZooKeeperSource } from './zookeeper-installation.ts'

/** The server that global-setup.ts started, or why there is none. */
export type SharedZooKeeper =
  RunningZooKeeper | { readonly available: false; readonly reason: string }

export interface RunningZooKeeper {
  readonly available: true
  readonly port: number
  readonly connectString: string
  /** For instance `3.9.5`. */
  readonly version: string
  readonly source: ZooKeeperSource
}

declare module 'vitest' {
  export interface ProvidedContext {
    zookeeper: SharedZooKeeper
  }
}

/**
 * A suite on the real server that the run shares. Give each test its own chroot or its own names:
 * other files use the server at the same time. Without a server it is skipped, and says why.
 * @example
 * describeReal('create', (server) => {
 *   test('…', async () => { await using zk = await connect(server.connectString) })
 * })
 */
export function describeReal(title: string, body: (server: RunningZooKeeper) => void): void {
  const shared = inject('zookeeper')
  if (shared.available) {
    describe(`${title} [Apache ZooKeeper ${shared.version}]`, () => {
      body(shared)
    })
  } else {
    console.warn(`skipped: ${title}: ${shared.reason}`)
    const nobody = { port: 0, connectString: '', version: '', source: 'home' } as const
    describe.skip(`${title} [no Apache ZooKeeper]`, () => {
      body({ available: true, ...nobody }) // only collected, so that the skipped are counted
    })
  }
}
