/**
 * Many timers in one heap, under one `setTimeout`: a thousand sessions cost one.
 */
import { performance } from 'node:perf_hooks'
import { type Timer } from '../session/runtime.ts'
import { Heap, HeapItem } from './heap.ts'

/** A longer delay would overflow in `setTimeout` and fire at once. */
const delayMsMax = 0x7fff_ffff

export class TimerHeap {
  readonly #heap = new Heap<HeapTimer>()
  #timeout: NodeJS.Timeout | null = null
  #timeoutAtMs = Infinity
  readonly #holdsProcess: boolean

  /** @param holdsProcess whether the process goes on for as long as there is a timer. */
  constructor(holdsProcess = true) {
    this.#holdsProcess = holdsProcess
  }

  add(atMs: number, fire: () => void): Timer {
    const timer = new HeapTimer(this, atMs, fire)
    if (atMs === Infinity) return timer
    this.#heap.add(timer)
    this.#arm()
    return timer
  }

  remove(timer: HeapTimer): void {
    this.#heap.remove(timer)
    // Only an empty heap is worth the call: an early wake-up costs less than moving the timeout.
    if (this.#heap.size === 0) this.#disarm()
  }

  /** Fires what is due. What a timer adds for now waits for another turn, so that I/O gets its own. */
  #fireDue(): void {
    this.#timeoutAtMs = Infinity
    const nowMs = performance.now()
    const due: HeapTimer[] = []
    for (let first = this.#heap.first; first !== undefined && first.atMs <= nowMs;) {
      due.push(first)
      this.remove(first)
      first = this.#heap.first
    }
    try {
      for (const timer of due) if (!timer.isCancelled) timer.fire()
    } finally {
      this.#arm()
    }
  }

  #arm(): void {
    const first = this.#heap.first
    if (first === undefined || first.atMs >= this.#timeoutAtMs) return
    this.#disarm()
    this.#timeoutAtMs = first.atMs
    const delayMs = Math.ceil(first.atMs - performance.now())
    const fireDue = () => {
      this.#fireDue()
    }
    this.#timeout = setTimeout(fireDue, Math.min(Math.max(delayMs, 0), delayMsMax))
    if (!this.#holdsProcess) this.#timeout.unref()
  }

  #disarm(): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout)
    this.#timeout = null
    this.#timeoutAtMs = Infinity
  }
}

class HeapTimer extends HeapItem implements Timer {
  readonly fire: () => void
  isCancelled = false
  readonly #timers: TimerHeap

  constructor(timers: TimerHeap, atMs: number, fire: () => void) {
    super(atMs)
    this.fire = fire
    this.#timers = timers
  }

  cancel(): void {
    this.isCancelled = true
    this.#timers.remove(this)
  }
}
