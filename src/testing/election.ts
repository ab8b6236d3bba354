/**
 * How members that look for a leader find one. Nobody casts votes: it takes a while, and then the best of
 * those who are there leads.
 *
 * Source: `FastLeaderElection.totalOrderPredicate`, `Leader.getEpochToPropose`.
 */
import { type Clock, type Timer } from './clock.ts'
import { type Replica } from './replica.ts'

export class Election {
  readonly #clock: Clock
  readonly #durationMs: () => number
  #timer: Timer | null = null

  constructor(clock: Clock, durationMs: () => number) {
    this.#clock = clock
    this.#durationMs = durationMs
  }

  /** Calls `found` when it is over, at once if it takes no time. One that goes on just goes on. */
  begin(found: () => void): void {
    if (this.#timer !== null) return
    const ms = this.#durationMs()
    if (ms === 0) return found()
    this.#timer = this.#clock.timer(this.#clock.nowMs() + ms, () => {
      this.#timer = null
      found()
    })
  }

  /** Nobody finds anybody. */
  cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}

/** Who has followed the latest leader, and of those has written down most. */
export function bestOf(candidates: readonly Replica[]): Replica {
  return candidates.reduce((one, other) => (other.isAheadOf(one) ? other : one))
}

/** The number of the next leader: higher than that of any whom one of these has followed. */
export function nextEpochOf(replicas: readonly Replica[]): bigint {
  return 1n + replicas.reduce((latest, { epoch }) => (epoch > latest ? epoch : latest), 0n)
}
