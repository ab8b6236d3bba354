import { isZooKeeperError, type WatchEvent, type ZooKeeper } from '../../src/index.ts'
import { type Prng } from '../../src/testing/prng.ts'
import { type World } from '../../src/simulation/world.ts'
import { type Violations } from './violations.ts'

/**
 * One client that reads and watches `/shared`: replies come in call order, values never go back, and
 * no value is seen before the event of a watch that stood when it was written (promise 2).
 */
export class Reader {
  readonly #zk: ZooKeeper
  readonly #name: string
  readonly #world: World
  readonly #violations: Violations
  /** Of watches that are set: the mzxid of the value that they were set with. */
  readonly #armed = new Set<{ readonly mzxid: bigint }>()
  #calls = 0
  #newestCall = -1
  #newestValue = 0n

  constructor(zk: ZooKeeper, name: string, world: World, violations: Violations) {
    this.#zk = zk
    this.#name = name
    this.#world = world
    this.#violations = violations
  }

  get count(): number {
    return this.#calls
  }

  async work(endMs: number, dice: Prng): Promise<void> {
    this.#watchChildren(endMs)
    while (this.#world.clock.nowMs() < endMs) {
      const settled: Promise<void>[] = []
      for (let burst = dice.int(1, 8); burst > 0; burst--) {
        settled.push(this.#read(dice.chance(0.4)))
      }
      if (dice.chance(0.3)) settled.push(this.#readSynced())
      await Promise.all(settled)
      await this.#world.sleep(dice.int(0, 2_000))
    }
  }

  /**
   * Always watches `/made`, too: a multi that creates there and writes `/shared` is told in two
   * notifications, and a cut may come between them.
   */
  #watchChildren(endMs: number): void {
    const again = () => {
      if (this.#world.clock.nowMs() < endMs) this.#watchChildren(endMs)
    }
    this.#zk.getChildren('/made', { watch: again, timeout: Infinity }).catch(again)
  }

  #read(isWatching: boolean): Promise<void> {
    const call = this.#calls++
    let armed: { readonly mzxid: bigint } | null = null
    const watch = (event: WatchEvent) => {
      if (armed === null) this.#tell(`${event.type} came before the read that set the watch`)
      else if (!this.#armed.delete(armed)) this.#tell('a one-shot watch was called twice')
    }
    // Not `await`: one more promise in between could turn the order round that is looked at here.
    return this.#zk.getData('/shared', isWatching ? { watch } : {}).then(
      ({ data, stat }) => {
        this.#look(call, stat.mzxid)
        // Memory that was not the reply's any more would show here.
        if (!/^([abc]-\d+)?$/.test(String(data))) this.#tell(`nobody wrote ${String(data)}`)
        if (isWatching) this.#armed.add((armed = { mzxid: stat.mzxid }))
      },
      (error: unknown) => {
        if (!isZooKeeperError(error)) throw error
      },
    )
  }

  /** Whatever had happened by the time of the call, it shows. */
  async #readSynced(): Promise<void> {
    this.#calls++
    const happened = this.#world.quorum.state.tree.get('/shared')!.mzxid
    try {
      const { stat } = await this.#zk.getData('/shared', { sync: true })
      if (stat.mzxid < happened) this.#tell(`a synced read gave ${stat.mzxid} behind ${happened}`)
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
    }
  }

  #look(call: number, mzxid: bigint): void {
    if (call < this.#newestCall) this.#tell(`call ${call} was answered after ${this.#newestCall}`)
    if (mzxid < this.#newestValue) this.#tell(`a value went back from ${this.#newestValue}`)
    for (const armed of this.#armed) {
      if (armed.mzxid < mzxid)
        this.#tell(`value ${mzxid} came before the event of a watch on ${armed.mzxid}`)
    }
    this.#newestCall = call
    this.#newestValue = mzxid
  }

  #tell(sentence: string): void {
    this.#violations.add(`${this.#name}: ${sentence}`)
  }
}

/** A consumer of `observe()`: values only get newer, and the last one arrives. */
export class Observer {
  newest = 0n

  async follow(zk: ZooKeeper, name: string, violations: Violations): Promise<void> {
    for await (const value of zk.observe('/shared')) {
      const mzxid = value?.stat.mzxid ?? 0n
      violations.expect(
        mzxid > this.newest,
        () => `${name}: observed ${mzxid} after ${this.newest}`,
      )
      this.newest = mzxid
    }
  }
}

/**
 * A picture of the children of `/ephemeral`, kept by a recursive watch alone, and read again after a
 * `resync` only: what the watch does not tell and does not own up to stays wrong for ever.
 */
export class Mirror {
  readonly children = new Set<string>()

  async follow(zk: ZooKeeper): Promise<void> {
    const watch = zk.watch('/ephemeral', { recursive: true, timeout: Infinity })
    await watch.ready
    await this.#readAgain(zk)
    for await (const { type, path } of watch) {
      const name = path.slice('/ephemeral/'.length)
      if (type === 'NodeCreated') this.children.add(name)
      else if (type === 'NodeDeleted') this.children.delete(name)
      else if (type === 'resync') await this.#readAgain(zk)
    }
  }

  /** If a connection or a session is lost under it, another `resync` is on its way. */
  async #readAgain(zk: ZooKeeper): Promise<void> {
    try {
      const { children } = await zk.getChildren('/ephemeral', { timeout: Infinity })
      this.children.clear()
      for (const child of children) this.children.add(child)
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
    }
  }
}

/** Creates and deletes what the mirrors look at. */
export async function churn(
  zk: ZooKeeper,
  name: string,
  endMs: number,
  world: World,
  dice: Prng,
): Promise<void> {
  while (world.clock.nowMs() < endMs) {
    const path = `/ephemeral/${name}-${dice.int(0, 5)}`
    const change = dice.chance(0.6) ? zk.create(path, '', { mode: 'ephemeral' }) : zk.delete(path)
    await change.catch((error: unknown) => {
      if (!isZooKeeperError(error)) throw error
    })
    await world.sleep(dice.int(0, 3_000))
  }
}
