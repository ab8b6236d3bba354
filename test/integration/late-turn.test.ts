import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type ZooKeeper } from '../../src/index.ts'
import { Lock } from '../../src/recipes/index.ts'
import { open } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'

// The server runs in a process of its own, and goes on while this one is blocked.

describeReal('a turn of the event loop that outlasts a lease', (server) => {
  // Node hands over what another socket had ready before it fires the timers that are due.
  test('what is read behind it is not acted on under the lease', async () => {
    const options = { sessionTimeout: 1_500 }
    const [zk, other] = [await open(server, options), await open(server, options)]
    const held = await new Lock(zk, '/lock').acquire()
    const leases: boolean[] = []
    const read = async (client: ZooKeeper) => {
      await client.exists('/')
      leases.push(held.signal.aborted)
      if (leases.length === 1) block(1_000) // the lease lasts for two thirds of the timeout
    }
    const both = Promise.all([read(zk), read(other)])
    await turnOfTheLoop()
    block(100) // until both answers are there
    await both
    expect(leases).toEqual([false, true])
  })
})

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
