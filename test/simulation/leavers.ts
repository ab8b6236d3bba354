import { isZooKeeperError, type ZooKeeper } from '../../src/index.ts'
import { type Prng } from '../../src/testing/prng.ts'
import { type World } from '../../src/simulation/world.ts'
import { type Violations } from './violations.ts'

/** What is watched for a while only; the znodes must exist before. */
export const leftPaths = ['/left-0', '/left-1', '/left-2'] as const

/** Clients that set watches of all kinds and take them back: nobody may be told of them after that. */
export class Leavers {
  readonly #world: World
  readonly #violations: Violations

  constructor(world: World, violations: Violations) {
    this.#world = world
    this.#violations = violations
  }

  async work(zk: ZooKeeper, endMs: number, dice: Prng): Promise<void> {
    while (this.#world.clock.nowMs() < endMs) {
      const path = dice.pick(leftPaths)
      try {
        if (dice.chance(0.5)) await this.#watchOnce(zk, path, dice)
        else await this.#iterate(zk, path, dice)
        if (dice.chance(0.3)) await zk.setData(path, '')
      } catch (error) {
        if (!isZooKeeperError(error)) throw error
      }
      await this.#world.sleep(dice.int(0, 2_000))
    }
  }

  /** When everybody has left, the servers watch none of this any more. */
  judge(): void {
    const tables = this.#world.quorum.states.map(({ watches }) => watches)
    const entries = tables.flatMap(({ dataEntries, childEntries }) => [
      ...dataEntries,
      ...childEntries,
    ])
    const isLeft = ({ path }: { readonly path: string }) => path.startsWith('/left-')
    const left = entries.filter(isLeft)
    this.#violations.expect(left.length === 0, () => {
      const watches = left.map(({ path, mode }) => `${mode} ${path}`)
      return `nobody wants these watches: ${watches.join(', ')}`
    })
  }

  async #watchOnce(zk: ZooKeeper, path: string, dice: Prng): Promise<void> {
    const leaving = new AbortController()
    const watch = () => {
      if (leaving.signal.aborted) this.#violations.add(`${path}: told after it was taken back`)
    }
    const options = { watch, watchSignal: leaving.signal }
    const isRead = dice.chance(0.5) ? zk.getData(path, options) : zk.getChildren(path, options)
    const sleep = this.#world.sleep(dice.int(0, 3_000))
    await Promise.allSettled([isRead, sleep]).finally(() => {
      leaving.abort()
    })
  }

  async #iterate(zk: ZooKeeper, path: string, dice: Prng): Promise<void> {
    const watch = zk.watch(path, { recursive: dice.chance(0.5), timeout: Infinity })
    watch.ready.catch(() => undefined)
    await this.#world.sleep(dice.int(0, 3_000))
    await watch.return()
  }
}
