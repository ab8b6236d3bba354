import { type Call } from './call.ts'

/** Calls first in, first out, in a ring that doubles when it is full. */
export class CallQueue {
  #ring: (Call | undefined)[] = new Array<Call | undefined>(16)
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  /** The call at `index`, the oldest being at 0. The index is below the length. */
  at(index: number): Call {
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)]!
  }

  push(call: Call): void {
    if (this.#length === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = call
    this.#length++
  }

  /** The oldest call, taken out. */
  shift(): Call {
    const call = this.at(0)
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#length--
    return call
  }

  /** Takes all calls out, oldest first. */
  drain(): Call[] {
    const calls: Call[] = []
    while (this.#length > 0) calls.push(this.shift())
    return calls
  }

  *[Symbol.iterator](): Generator<Call, void> {
    for (let i = 0; i < this.#length; i++) yield this.at(i)
  }

  #grow(): void {
    const grown = new Array<Call | undefined>(this.#ring.length * 2)
    for (let i = 0; i < this.#length; i++) grown[i] = this.at(i)
    this.#ring = grown
    this.#head = 0
  }
}
