import { expect, test } from 'vitest'
import { describeServers, errorOf, newChroot, open, openAt } from '../support/servers.ts'
import { LossyProxy } from '../support/lossy-proxy.ts'

describeServers('stats', (server) => {
  test('R97: count watches by kind, calls by fate, and what is under way', async () => {
    const zk = await open(server)
    const before = zk.stats()
    expect(before).toMatchObject({
      state: 'connected',
      sessionId: zk.session.id,
      server: zk.server,
      sessions: 1,
      reconnects: 0,
      inFlight: 0,
      waiting: { calls: 0, bytes: 0 },
      watches: { data: 0, exist: 0, child: 0, persistent: 0, recursive: 0 },
      requests: { succeeded: 0, applied: 0, notApplied: 0, unknown: 0 },
      ignored: { events: 0, bytes: 0 },
      framesOut: 1,
      framesIn: 1,
    })

    const ignore = () => undefined
    await zk.create('/a', 'x')
    await zk.getData('/a', { watch: ignore })
    await zk.exists('/missing', { watch: ignore })
    await errorOf(zk.getData('/missing'))
    const reading = zk.getChildren('/', { watch: ignore })
    expect(zk.stats().inFlight).toBe(1)
    await reading

    const after = zk.stats()
    expect(after).toMatchObject({
      watches: { data: 1, exist: 1, child: 1 },
      requests: { succeeded: 4, notApplied: 1 },
      ignored: { events: 0, bytes: 0 },
      framesOut: 6,
      framesIn: 6,
    })
    expect(after.bytesOut).toBeGreaterThan(before.bytesOut + 5 * 12)
    expect(after.bytesIn).toBeGreaterThan(before.bytesIn + 5 * 20)
  })

  test('count what was lost, and the connection after it', async () => {
    const chroot = await newChroot(server)
    await using proxy = await LossyProxy.start(server.connectString)
    const zk = await openAt(proxy.connectString + chroot)
    proxy.loseAt(0, 'drop-reply')
    await errorOf(zk.create('/a'))
    await zk.sync()
    expect(zk.stats()).toMatchObject({ requests: { unknown: 1 }, reconnects: 1, sessions: 1 })
  })

  test('tell how long a ping takes, and what is left after close', async () => {
    const zk = await open(server, { sessionTimeout: 600 })
    while (zk.stats().pings === 0) await zk.waitFor('lost', { timeout: 20 }).catch(ignored)
    expect(zk.stats().pingMs).toBeGreaterThanOrEqual(0)
    await zk.close()
    expect(zk.stats()).toMatchObject({ state: 'closed', server: null, inFlight: 0 })
  })
})

const ignored = (): void => undefined
