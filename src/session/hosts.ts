import { type Host } from '../protocol/connect-string.ts'

/** A host to dial, and how often it was dialled before: which of its addresses is due. */
export interface DialTarget {
  readonly host: Host
  readonly attempt: number
}

/** The members of the ensemble, in a random order of our own, so that clients spread over them. */
export class Hosts {
  readonly #hosts: readonly Host[]
  #dials = 0

  constructor(hosts: readonly Host[], random: () => number) {
    this.#hosts = shuffled(hosts, random)
  }

  get count(): number {
    return this.#hosts.length
  }

  /** Round robin, hence another host than the last one if there is another. */
  next(): DialTarget {
    const attempt = Math.floor(this.#dials / this.#hosts.length)
    const host = this.#hosts[this.#dials % this.#hosts.length]!
    this.#dials++
    return { host, attempt }
  }
}

function shuffled(hosts: readonly Host[], random: () => number): Host[] {
  const list = [...hosts]
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[list[i], list[j]] = [list[j]!, list[i]!]
  }
  return list
}
