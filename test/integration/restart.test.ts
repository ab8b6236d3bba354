import { expect, test } from 'vitest'
import { type WatchEvent } from '../../src/index.ts'
import { judge, untoldEvents } from '../support/judge.ts'
import { Load } from '../support/load.ts'
import { openAt, testSince } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { readTransactionLog } from '../support/transaction-log.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

// A real server dies under load and comes back with its data. What the client told about each write
// is then compared with what the server has written down.

describeReal('a server that is killed under load and started again', (shared) => {
  testSince(shared, '3.6')(
    'continues the session, fires watches once, answers reads, and tells the truth of writes',
    async () => {
      await using server = await ZooKeeperServer.start()
      const zk = await openAt(server.connectString, { sessionTimeout: 30_000 })
      const { id } = zk.session
      for (const path of ['/load', '/load/value', '/load/made', '/flag']) await zk.create(path)
      const events: WatchEvent[] = []
      await zk.getData('/flag', { watch: (event) => events.push(event) })
      const watch = zk.watch('/load/made', { recursive: true })
      await watch.ready

      const load = new Load(zk, '/load')
      await load.untilSettled(300)
      await server.kill()
      await zk.waitFor('suspended')
      await server.restart()
      await zk.waitFor('connected')
      await load.untilSettled(300)
      const report = await load.stop()
      const history = await readTransactionLog(server.dataDir)
      const verdict = judge(report, history)

      expect(zk.session.id).toBe(id)
      expect(verdict.untruths).toEqual([])
      expect(verdict.unknown.applied + verdict.unknown.notApplied).toBeGreaterThan(0)
      expect(report.reads).toMatchObject({ failed: 0 })

      const told = watch.drain()
      expect(told.filter(({ type }) => type === 'resync')).toHaveLength(1)
      expect(untoldEvents(told, history, '/load/made')).toEqual([])

      await zk.setData('/flag', 'changed')
      expect(events).toMatchObject([{ type: 'NodeDataChanged', path: '/flag' }])
    },
  )

  test('lost after 4/3 of the timeout, and back with the same session when it is up again', async () => {
    await using server = await ZooKeeperServer.start()
    const zk = await openAt(server.connectString, { sessionTimeout: 1_500 })
    const { id } = zk.session
    await zk.create('/mine', '', { mode: 'ephemeral' })
    await server.kill()
    await zk.waitFor('suspended')
    const pending = zk.setData('/mine', 'x').catch((error: unknown) => error)
    await zk.waitFor('lost')
    expect(await pending).toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'not-applied' })
    await server.restart()
    await zk.waitFor('connected')
    expect(zk.session.id).toBe(id)
    expect(await zk.exists('/mine')).not.toBeNull()
  })

  test('R29: a server that is stopped, not dead, is given up after two thirds of the timeout', async () => {
    await using server = await ZooKeeperServer.start()
    const zk = await openAt(server.connectString, { sessionTimeout: 3_000 })
    server.pause()
    const startedMs = performance.now()
    await zk.waitFor('suspended')
    const silentMs = performance.now() - startedMs
    server.resume()
    await zk.waitFor('connected')
    // The upper bound is generous, because this is a real process on a shared machine.
    expect(silentMs).toBeGreaterThan(900)
    expect(silentMs).toBeLessThan(4_000)
  })
})
