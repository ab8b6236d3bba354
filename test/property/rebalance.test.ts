import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Host } from '../../src/protocol/connect-string.ts'
import { Hosts } from '../../src/session/hosts.ts'

// A thousand clients that know nothing of each other are given a new list of servers.

const clientCount = 1_000

const change = fc
  .record({
    removed: fc.nat({ max: 5 }),
    kept: fc.nat({ max: 5 }),
    added: fc.nat({ max: 5 }),
    seed: fc.integer({ min: 1, max: 0x7fff_ffff }),
  })
  .filter(({ removed, kept, added }) => removed + kept > 0 && kept + added > 0)

describe('a new list of servers', () => {
  test('leaves every server with the same share of the clients', () => {
    fc.assert(
      fc.property(change, ({ removed, kept, added, seed }) => {
        const { after, fleet } = world(removed, kept, added, seed)
        for (const client of fleet) client.follow(after)
        expectEven(after, fleet)
      }),
    )
  })

  test('moves nobody but those who have to', () => {
    fc.assert(
      fc.property(change, ({ removed, kept, added, seed }) => {
        const { before, after, fleet } = world(removed, kept, added, seed)
        const movedCount = fleet.filter((client) => client.follow(after)).length
        const stayingShare = kept / Math.max(before.length, after.length)
        expectNear(movedCount, 1 - stayingShare)
      }),
    )
  })

  test('grows, is replaced and shrinks again: the shares are even each time', () => {
    const { after, fleet } = world(0, 3, 2, 4_711)
    const lists = [
      after,
      after.slice(2),
      [...after.slice(4), ...hosts('late', 4)],
      after.slice(0, 1),
    ]
    for (const list of lists) {
      for (const client of fleet) client.follow(list)
      expectEven(list, fleet)
    }
  })
})

class Client {
  server: Host
  readonly #hosts: Hosts

  constructor(list: readonly Host[], random: () => number) {
    this.#hosts = new Hosts(list, random)
    this.server = this.#connect()
  }

  follow(list: readonly Host[]): boolean {
    const isMoving = this.#hosts.update(list)
    if (isMoving) this.server = this.#connect()
    return isMoving
  }

  #connect(): Host {
    const { host } = this.#hosts.next()
    this.#hosts.settle()
    return host
  }
}

function world(removed: number, kept: number, added: number, seed: number) {
  const random = dice(seed)
  const stay = hosts('kept', kept)
  const before = [...hosts('removed', removed), ...stay]
  const after = [...stay, ...hosts('added', added)]
  const fleet = Array.from({ length: clientCount }, () => new Client(before, random))
  return { before, after, fleet }
}

function hosts(name: string, count: number): Host[] {
  return Array.from({ length: count }, (_, i) => ({ name: `${name}-${i}`, port: 2181 }))
}

function expectEven(list: readonly Host[], fleet: readonly Client[]): void {
  const counts = new Map(list.map(({ name }) => [name, 0]))
  for (const { server } of fleet) counts.set(server.name, (counts.get(server.name) ?? 0) + 1)
  expect(counts.size).toBe(list.length) // nobody is left on a server that is gone
  for (const count of counts.values()) expectNear(count, 1 / list.length)
}

/** Within five standard deviations of the share that is due, and of how the clients began. */
function expectNear(count: number, share: number): void {
  const deviation = Math.sqrt(clientCount * share * (1 - share)) + Math.sqrt(clientCount) / 6
  expect(Math.abs(count - clientCount * share)).toBeLessThanOrEqual(5 * deviation)
}

/** Mulberry32: small, fast, and even enough for dice. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b_79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
