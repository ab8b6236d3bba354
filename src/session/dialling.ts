import { type Backoff, dialPauseMs } from './timing.ts'

/** When the next host is to be dialled, and what came of the dials before. */
export class Dialling {
  /** When it is time for the next one. */
  atMs: number
  /** Why each host could not be attached to since one was, the latest reason of each. */
  readonly failed = new Map<string, unknown>()
  /** Links that came to nothing, in a row; the first dial counts as one, so that fleets spread. */
  #failures = 1
  readonly #backoff: Backoff
  readonly #random: () => number

  constructor(backoff: Backoff, random: () => number, nowMs: number) {
    this.#backoff = backoff
    this.#random = random
    this.atMs = nowMs
  }

  /** Whether each of so many hosts was dialled in vain since one was of use. */
  hasBeenRound(hostCount: number): boolean {
    return this.#failures > hostCount
  }

  /** A link has been lost, which was attached for so long. */
  noteLost(nowMs: number, attachedForMs: number, pauseMsMax: number): void {
    // A link that broke at once was no success: else a server that accepts and drops would be
    // dialled without a pause for ever.
    if (attachedForMs >= this.#backoff.msMin) this.#failures = 0
    this.#pause(nowMs, pauseMsMax)
  }

  /** A host could not be attached to. */
  noteFailed(nowMs: number, server: string, cause: unknown, pauseMsMax: number): void {
    this.failed.set(server, cause)
    this.#pause(nowMs, pauseMsMax)
  }

  #pause(nowMs: number, pauseMsMax: number): void {
    const { msMin, msMax } = this.#backoff
    const backoff = { msMin, msMax: Math.min(msMax, pauseMsMax) }
    this.atMs = nowMs + dialPauseMs(this.#failures, this.#random(), backoff)
    this.#failures++
  }
}
