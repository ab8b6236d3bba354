import { isZooKeeperError, type ZooKeeper } from '../../src/index.ts'
import { Lock } from '../../src/recipes/index.ts'
import { type Prng } from '../../src/testing/prng.ts'
import { type World } from '../../src/simulation/world.ts'
import { type Violations } from './violations.ts'

type Lease = Awaited<ReturnType<Lock['acquire']>>

/** Clients that contend for one lock: leases never overlap, and fencing tokens only rise. */
export class Lockers {
  readonly #world: World
  readonly #violations: Violations
  readonly #expired: ReadonlySet<bigint>
  #current: { readonly name: string; readonly sessionId: bigint; readonly lease: Lease } | null =
    null
  #newestToken = 0n
  #leases = 0

  /** @param expired sessions that ended before their time, which no lease can know. */
  constructor(world: World, violations: Violations, expired: ReadonlySet<bigint>) {
    this.#world = world
    this.#violations = violations
    this.#expired = expired
  }

  get count(): number {
    return this.#leases
  }

  async work(zk: ZooKeeper, name: string, endMs: number, dice: Prng): Promise<void> {
    while (this.#world.clock.nowMs() < endMs) {
      try {
        await this.acquire(zk, name, dice, dice.chance(0.3) ? dice.int(10, 5_000) : Infinity)
      } catch (error) {
        if (!isZooKeeperError(error)) throw error
      }
      await this.#world.sleep(dice.int(0, 500))
    }
  }

  /** Holds the lock for a while, long enough at times to need renewals. */
  async acquire(zk: ZooKeeper, name: string, dice: Prng, timeout: number): Promise<void> {
    const lease = await new Lock(zk, '/lock').acquire({ timeout })
    this.#note(name, zk.session.id, lease)
    await this.#world.sleep(dice.int(0, dice.chance(0.3) ? 15_000 : 1_000))
    await lease.release()
  }

  #note(name: string, sessionId: bigint, lease: Lease): void {
    this.#leases++
    if (!lease.isHeld) return // lost between the answer and this line
    if (this.#expired.has(sessionId)) return // on a member that has not heard of it
    const earlier = this.#current
    if (earlier !== null && !this.#expired.has(earlier.sessionId)) {
      this.#violations.expect(!earlier.lease.isHeld, () => {
        return `${name} has the lock of ${earlier.name}, too`
      })
    }
    this.#violations.expect(lease.fencingToken > this.#newestToken, () => {
      return `token ${lease.fencingToken} came after ${this.#newestToken}`
    })
    this.#newestToken = lease.fencingToken
    this.#current = { name, sessionId, lease }
  }
}
