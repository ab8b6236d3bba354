/**
 * All timers of the process in one heap, under one `setTimeout`: a thousand sessions cost one.
 */
import { performance } from 'node:perf_hooks'
import { type Timer } from '../session/runtime.ts'

/** A longer delay would overflow in `setTimeout` and fire at once. */
const delayMsMax = 0x7fff_ffff

export class TimerHeap {
  readonly #heap: HeapTimer[] = []
  #timeout: NodeJS.Timeout | null = null
  #timeoutAtMs = Infinity

  add(atMs: number, fire: () => void): Timer {
    const timer = new HeapTimer(this, atMs, fire)
    if (atMs === Infinity) return timer
    this.#heap.push(timer)
    this.#siftUp(this.#heap.length - 1)
    this.#arm()
    return timer
  }

  remove(timer: HeapTimer): void {
    const at = timer.index
    if (at === -1) return
    timer.index = -1
    const last = this.#heap.pop()!
    if (last !== timer) {
      this.#heap[at] = last
      last.index = at
      this.#siftDown(at)
      this.#siftUp(last.index)
    }
    // Only an empty heap is worth the call: an early wake-up costs less than moving the timeout.
    if (this.#heap.length === 0) this.#disarm()
  }

  /** Fires what is due. What a timer adds for now waits for another turn, so that I/O gets its own. */
  #fireDue(): void {
    this.#timeoutAtMs = Infinity
    const nowMs = performance.now()
    const due: HeapTimer[] = []
    while (this.#heap.length > 0 && this.#heap[0]!.atMs <= nowMs) {
      due.push(this.#heap[0]!)
      this.remove(this.#heap[0]!)
    }
    try {
      for (const timer of due) if (!timer.isCancelled) timer.fire()
    } finally {
      this.#arm()
    }
  }

  #arm(): void {
    const first = this.#heap[0]
    if (first === undefined || first.atMs >= this.#timeoutAtMs) return
    this.#disarm()
    this.#timeoutAtMs = first.atMs
    const delayMs = Math.ceil(first.atMs - performance.now())
    const fireDue = () => {
      this.#fireDue()
    }
    this.#timeout = setTimeout(fireDue, Math.min(Math.max(delayMs, 0), delayMsMax))
  }

  #disarm(): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout)
    this.#timeout = null
    this.#timeoutAtMs = Infinity
  }

  #siftUp(at: number): void {
    const timer = this.#heap[at]!
    let child = at
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (this.#heap[parent]!.atMs <= timer.atMs) break
      this.#place(this.#heap[parent]!, child)
      child = parent
    }
    this.#place(timer, child)
  }

  #siftDown(at: number): void {
    const timer = this.#heap[at]!
    let parent = at
    for (;;) {
      const left = parent * 2 + 1
      const right = left + 1
      if (left >= this.#heap.length) break
      const isRight = right < this.#heap.length && this.#heap[right]!.atMs < this.#heap[left]!.atMs
      const child = isRight ? right : left
      if (this.#heap[child]!.atMs >= timer.atMs) break
      this.#place(this.#heap[child]!, parent)
      parent = child
    }
    this.#place(timer, parent)
  }

  #place(timer: HeapTimer, at: number): void {
    this.#heap[at] = timer
    timer.index = at
  }
}

class HeapTimer implements Timer {
  readonly atMs: number
  readonly fire: () => void
  /** Where it stands in the heap; -1 once it does not. */
  index = -1
  isCancelled = false
  readonly #heap: TimerHeap

  constructor(heap: TimerHeap, atMs: number, fire: () => void) {
    this.#heap = heap
    this.atMs = atMs
    this.fire = fire
  }

  cancel(): void {
    this.isCancelled = true
    this.#heap.remove(this)
  }
}
