/**
 * Chance that can be had again: the same numbers from the same seed, on every machine and Node.
 *
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand): 32-bit additions, shifts and xors, so no
 * engine may compute it differently.
 */
export class Prng {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** @param seed a whole number from 0 up. */
  constructor(seed: number) {
    this.#a = 0
    this.#b = seed | 0
    this.#c = Math.floor(seed / 2 ** 32) | 0
    for (let i = 0; i < 12; i++) this.next() // seeds that differ in one bit then give unlike numbers
  }

  /** A number from 0 up to 1. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }

  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)]!
  }

  /** A source of its own, so that what one consumer takes does not change what others get. */
  fork(): Prng {
    return new Prng(this.int(0, 0xffff_ffff))
  }

  /** 32 hexadecimal digits in the shape of a version 4 UUID. */
  uuid(): string {
    const hex = Array.from({ length: 32 }, () => this.int(0, 15).toString(16)).join('')
    return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-a$4-$5')
  }
}
