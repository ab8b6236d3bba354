import { expect, onTestFinished } from 'vitest'
import { type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { LinkProxy } from '../support/link-proxy.ts'
import { describeServers, newChroot, openAt, testSince } from '../support/servers.ts'

// What each kind of watch tells of what happened and was undone while there was no link.

describeServers('E2: without a link', (server) => {
  const test = testSince(server, '3.6') // that has persistent watches

  test('what was created and deleted is told as a change of the parent, and not else', async () => {
    const { zk, whileCut } = await openCut()
    await zk.create('/parent')
    const heard = new Heard()
    await zk.exists('/parent/a', { watch: heard.note('exists') })
    await zk.getChildren('/parent', { watch: heard.note('getChildren') })
    const persistent = zk.watch('/parent/a')
    const recursive = zk.watch('/parent', { recursive: true })
    await Promise.all([persistent.ready, recursive.ready])
    await whileCut(async (other) => {
      await other.create('/parent/a')
      await other.delete('/parent/a')
    })
    heard.add('watch', persistent.drain())
    heard.add('recursive', recursive.drain())
    // The replay for getChildren is heard by whoever watches the znode, but not by a recursive watch.
    expect(heard.sorted()).toEqual([
      'getChildren: NodeChildrenChanged /parent',
      'recursive: resync /parent',
      'watch: resync /parent/a',
    ])

    await zk.create('/parent/a') // the watch on the missing znode stands
    await zk.sync()
    expect(heard.of('exists')).toEqual(['NodeCreated /parent/a'])
  })

  test('what was deleted and created again is told as one change', async () => {
    const { zk, whileCut } = await openCut()
    await zk.create('/a')
    const heard = new Heard()
    await zk.getData('/a', { watch: heard.note('getData') })
    await zk.exists('/a', { watch: heard.note('exists') })
    await zk.getChildren('/a', { watch: heard.note('getChildren') })
    const persistent = zk.watch('/a')
    await persistent.ready
    await whileCut(async (other) => {
      await other.delete('/a')
      await other.create('/a')
    })
    expect(persistent.drain()[0]).toMatchObject({ type: 'resync', path: '/a' })
    await zk.setData('/a', 'x')
    await zk.create('/a/b')
    await zk.sync()
    expect(heard.sorted()).toEqual([
      'exists: NodeDataChanged /a',
      'getChildren: NodeChildrenChanged /a',
      'getData: NodeDataChanged /a',
    ])
  })

  /** A client, and how to do something while it has no link. */
  async function openCut() {
    const wire = await LinkProxy.start(Number(server.connectString.split(':')[1]))
    onTestFinished(() => wire[Symbol.asyncDispose]())
    const chroot = await newChroot(server)
    const other = await openAt(server.connectString + chroot)
    const zk = await openAt(wire.connectString + chroot, { backoff: { msMin: 5, msMax: 50 } })
    const whileCut = async (change: (other: ZooKeeper) => Promise<void>) => {
      wire.isDown = true
      wire.cut()
      await zk.waitFor('suspended')
      await change(other)
      wire.isDown = false
      await zk.waitFor('connected')
      await zk.sync()
    }
    return { zk, whileCut }
  }
})

/** What was heard by whom. */
class Heard {
  readonly #lines: string[] = []

  note(name: string): (event: WatchEvent) => void {
    return (event) => {
      this.add(name, [event])
    }
  }

  add(name: string, events: readonly WatchEvent[]): void {
    this.#lines.push(...events.map(({ type, path }) => `${name}: ${type} ${path}`))
  }

  of(name: string): string[] {
    return this.#lines
      .filter((line) => line.startsWith(`${name}: `))
      .map((line) => line.slice(name.length + 2))
  }

  sorted(): string[] {
    return this.#lines.toSorted()
  }
}
