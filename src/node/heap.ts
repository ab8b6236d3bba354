/** A binary heap of things that are due at some instant, each of which can be taken out again. */

export abstract class HeapItem {
  readonly atMs: number
  /** Where it stands in its heap; -1 while in none. The heap's own note. */
  index = -1
  /** How many were added before it: what is due at the same instant leaves in the order of arrival. */
  order = 0

  constructor(atMs: number) {
    this.atMs = atMs
  }
}

export class Heap<T extends HeapItem> {
  readonly #items: T[] = []
  #added = 0

  get size(): number {
    return this.#items.length
  }

  /** The earliest. */
  get first(): T | undefined {
    return this.#items[0]
  }

  add(item: T): void {
    item.order = this.#added++
    this.#items.push(item)
    this.#siftUp(this.#items.length - 1)
  }

  /** Takes an item out. One that is in no heap is none of its business. */
  remove(item: T): void {
    const at = item.index
    if (at === -1) return
    item.index = -1
    const last = this.#items.pop()!
    if (last === item) return
    this.#items[at] = last
    last.index = at
    this.#siftDown(at)
    this.#siftUp(last.index)
  }

  #siftUp(at: number): void {
    const item = this.#items[at]!
    let child = at
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (!isBefore(item, this.#items[parent]!)) break
      this.#place(this.#items[parent]!, child)
      child = parent
    }
    this.#place(item, child)
  }

  #siftDown(at: number): void {
    const item = this.#items[at]!
    let parent = at
    for (;;) {
      const left = parent * 2 + 1
      const right = left + 1
      if (left >= this.#items.length) break
      const isRight =
        right < this.#items.length && isBefore(this.#items[right]!, this.#items[left]!)
      const child = isRight ? right : left
      if (!isBefore(this.#items[child]!, item)) break
      this.#place(this.#items[child]!, parent)
      parent = child
    }
    this.#place(item, parent)
  }

  #place(item: T, at: number): void {
    this.#items[at] = item
    item.index = at
  }
}

function isBefore(a: HeapItem, b: HeapItem): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
