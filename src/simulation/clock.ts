import { Heap, HeapItem } from '../node/heap.ts'
import { type Clock, type Timer } from '../testing/index.ts'

/** When the world began, for those who ask for the date. */
const epochMs = 1_700_000_000_000

/** Time that stands still while anything is done, and jumps to whatever is due next. */
export class VirtualClock implements Clock {
  readonly #timers = new Heap<VirtualTimer>()
  #nowMs = 0

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return epochMs + Math.floor(this.#nowMs)
  }

  /** What is due at the same instant is called in the order in which it was asked for. */
  timer(atMs: number, fire: () => void): Timer {
    const timer = new VirtualTimer(Math.max(atMs, this.#nowMs), fire)
    if (atMs !== Infinity) this.#timers.add(timer)
    return { cancel: () => this.#timers.remove(timer) }
  }

  /** Goes to the next instant at which something is due, and calls one thing that is due then. */
  step(): boolean {
    const next = this.#timers.first
    if (next === undefined) return false
    this.#timers.remove(next)
    this.#nowMs = next.atMs
    next.fire()
    return true
  }
}

class VirtualTimer extends HeapItem {
  readonly fire: () => void

  constructor(atMs: number, fire: () => void) {
    super(atMs)
    this.fire = fire
  }
}
