import { expect, test } from 'vitest'
import { isZooKeeperError, type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { openAt } from '../support/servers.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

// A real server dies under load and comes back with its data. What the client told about each write
// is then compared with what the server holds.

describeReal('a server that is killed under load and started again', () => {
  test('continues the session, fires watches once, answers reads, and tells the truth of writes', async () => {
    await using server = await ZooKeeperServer.start()
    const zk = await openAt(server.connectString, { sessionTimeout: 30_000 })
    const observer = await openAt(server.connectString, { sessionTimeout: 30_000 })
    const { id } = zk.session
    await zk.create('/load')
    await zk.create('/flag')
    const events: WatchEvent[] = []
    await zk.getData('/flag', { watch: (event) => events.push(event) })
    const watch = zk.watch('/load')
    await watch.ready

    const load = new Load(zk)
    await load.untilAnswered(500)
    await server.kill()
    await zk.waitFor('suspended')
    await server.restart()
    await zk.waitFor('connected')
    await load.untilAnswered(500)
    const { writes, reads } = await load.stop()

    expect(zk.session.id).toBe(id)
    expect(reads.failed).toBe(0)
    expect(reads.answered).toBeGreaterThan(0)

    const held = new Set((await observer.getChildren('/load')).children)
    const told = (outcome: string) => writes.filter((write) => write.outcome === outcome)
    expect(told('applied').filter(({ name }) => !held.has(name))).toEqual([])
    expect(told('not-applied').filter(({ name }) => held.has(name))).toEqual([])
    expect(told('unknown').length).toBeGreaterThan(0)

    await observer.setData('/flag', 'changed')
    await zk.sync()
    expect(events).toMatchObject([{ type: 'NodeDataChanged', path: '/flag' }])
    expect(watch.drain().filter(({ type }) => type === 'resync')).toHaveLength(1)
  })

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

  test('a server that is stopped, not dead, is given up after two thirds of the timeout', async () => {
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

interface Write {
  readonly name: string
  readonly outcome: 'applied' | 'not-applied' | 'unknown'
}

/** Creates znodes and reads, sixteen at a time, and notes what it was told of each. */
class Load {
  readonly #zk: ZooKeeper
  readonly #writes: Write[] = []
  readonly #reads = { answered: 0, failed: 0 }
  readonly #workers: Promise<void>[]
  #isStopped = false
  #count = 0
  #waiting: { readonly count: number; readonly resolve: () => void } | null = null

  constructor(zk: ZooKeeper) {
    this.#zk = zk
    this.#workers = Array.from({ length: 16 }, () => this.#work())
  }

  /** Resolves when so many more writes have been applied. */
  untilAnswered(more: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { count: this.#writes.length + more, resolve }
    })
  }

  async stop() {
    this.#isStopped = true
    await Promise.all(this.#workers)
    return { writes: this.#writes, reads: this.#reads }
  }

  async #work(): Promise<void> {
    while (!this.#isStopped) {
      const name = `n-${this.#count++}`
      const [outcome] = await Promise.all([this.#create(name), this.#read()])
      this.#writes.push({ name, outcome })
      if (this.#waiting !== null && this.#writes.length >= this.#waiting.count) {
        this.#waiting.resolve()
      }
    }
  }

  async #create(name: string): Promise<Write['outcome']> {
    try {
      await this.#zk.create(`/load/${name}`)
      return 'applied'
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
      return error.outcome
    }
  }

  async #read(): Promise<void> {
    try {
      await this.#zk.getData('/flag')
      this.#reads.answered++
    } catch {
      this.#reads.failed++
    }
  }
}
