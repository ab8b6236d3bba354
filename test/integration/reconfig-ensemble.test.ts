import { afterAll, beforeAll, expect, test } from 'vitest'
import { type EnsembleMember, type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { errorOf, newChroot, openAt } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts'

/** May write to `/zookeeper/config`. */
const superUser = { auth: [{ scheme: 'digest', auth: 'super:admin' }] }

const configPath = '/zookeeper/config'

function idsOf(members: readonly EnsembleMember[]): number[] {
  return members.map(({ id }) => id).sort()
}

describeReal('a live ensemble', () => {
  let ensemble: ZooKeeperEnsemble
  beforeAll(async () => {
    ensemble = await ZooKeeperEnsemble.start()
  })
  afterAll(async () => {
    await ensemble?.[Symbol.asyncDispose]()
  })

  /** A client in a chroot, which must not matter. */
  async function openInside(options = {}): Promise<ZooKeeper> {
    const chroot = await newChroot({ connectString: ensemble.connectString, version: '' })
    return openAt(ensemble.connectString + chroot, options)
  }

  test('R78: tells who it is', async () => {
    const zk = await openInside()
    const { members, version, text, stat } = await zk.getConfig({ sync: true })
    const clients = members.map(({ client }) => `${client?.name}:${client?.port}`)
    expect(clients.sort()).toEqual(ensemble.members.map((one) => one.connectString).sort())
    expect(members.every(({ role }) => role === 'participant')).toBe(true)
    expect(text).toContain(`version=${version.toString(16)}`)
    expect(stat.dataLength).toBe(text.length)
  })

  test('R69: answers a read behind a sync with what another member has taken', async () => {
    const chroot = await newChroot({ connectString: ensemble.connectString, version: '' })
    const [first, second] = await ensemble.followers()
    const writer = await openAt(first!.connectString + chroot)
    const reader = await openAt(second!.connectString + chroot)
    await writer.create('/a', '0')
    for (let i = 1; i <= 200; i++) {
      await writer.setData('/a', String(i))
      const { data } = await reader.getData('/a', { sync: true })
      expect(data?.toString()).toBe(String(i))
    }
  })

  test('is changed by nobody who may not', async () => {
    const zk = await openInside()
    const error = await errorOf(zk.reconfig({ leaving: [3] }))
    expect(error).toMatchObject({ code: 'NO_AUTH', op: 'reconfig', path: configPath })
    expect(idsOf((await zk.getConfig()).members)).toEqual([1, 2, 3])
  })

  test('R32, R78: takes in a member and lets one go, and tells those who watch', async () => {
    const zk = await openInside(superUser)
    const watcher = await openInside()
    const events: WatchEvent[] = []
    const watch = (event: WatchEvent) => events.push(event)
    await watcher.getConfig({ watch })
    await watcher.chroot('/view').getConfig({ watch })
    const { version: before } = await zk.getConfig()
    const outsider = await ensemble.startOutsider()
    await using newcomer = outsider.server

    const joined = await zk.reconfig({ joining: [outsider.line], fromConfig: before })
    expect(idsOf(joined.members)).toEqual([1, 2, 3, 4])
    expect(joined.version).toBeGreaterThan(before)
    const member = joined.members.find(({ id }) => id === 4)
    expect(member?.client).toEqual({ name: '127.0.0.1', port: newcomer.port })
    expect(await watcher.getConfig({ sync: true })).toMatchObject({ version: joined.version })
    const change = { type: 'NodeDataChanged', path: configPath }
    expect(events).toMatchObject([change, change])

    // It is a member in earnest: what is written elsewhere is read there, and it serves writes.
    const there = await openAt(newcomer.connectString)
    const { path } = await zk.chroot('/').create('/a-', 'x', { mode: 'persistent-sequential' })
    expect(path).toBe('/a-0000000000')
    const { path: written } = await there.create('/from-4-', '', { mode: 'ephemeral-sequential' })
    expect(written).toMatch(/^\/from-4-/)

    const stale = await errorOf(zk.reconfig({ leaving: [4], fromConfig: before }))
    expect(stale).toMatchObject({ code: 'BAD_VERSION', op: 'reconfig' })
    const left = await zk.reconfig({ leaving: [4], fromConfig: joined.version })
    expect(idsOf(left.members)).toEqual([1, 2, 3])
    expect(await zk.getConfig({ sync: true })).toEqual(left)
  })

  // Nothing changes but the version: a member whose role changes would close its connections.
  test('is replaced as a whole', async () => {
    const zk = await openInside(superUser)
    const { text, version } = await zk.getConfig({ sync: true })
    const members = text.split('\n').filter((line) => line.startsWith('server.'))
    const replaced = await zk.reconfig({ members, fromConfig: version })
    expect(idsOf(replaced.members)).toEqual([1, 2, 3])
    expect(replaced.version).toBeGreaterThan(version)
  })

  test('cannot be left without members, which is a typed error', async () => {
    const zk = await openInside(superUser)
    const error = await errorOf(zk.reconfig({ leaving: [1, 2, 3] }))
    expect(error).toMatchObject({ code: 'BAD_ARGUMENTS', errno: -8, op: 'reconfig' })
  })
})
