import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Hosts } from '../../../src/session/hosts.ts'

const hosts = ['a', 'b', 'c', 'd'].map((name) => ({ name, port: 2181 }))

describe('Hosts', () => {
  test('all hosts are dialled before one is dialled again, then in the same order', () => {
    const order = new Hosts(hosts, () => 0.3)
    const dialled = Array.from({ length: 12 }, () => order.next())

    const first = dialled.slice(0, 4).map(({ host }) => host)
    expect(first).toHaveLength(order.count)
    expect(new Set(first)).toEqual(new Set(hosts))
    expect(dialled.map(({ host }) => host)).toEqual([...first, ...first, ...first])
    expect(dialled.map(({ attempt }) => attempt)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
  })

  // A fleet that starts at once must not fall upon the host that happens to be named first.
  test('which host comes first is left to chance, evenly', () => {
    const counts: Record<string, number> = { a: 0, b: 0, c: 0, d: 0 }
    for (let i = 0; i < 24; i++) {
      // All 24 ways in which the three throws can fall.
      const throws = [i % 4, Math.floor(i / 4) % 3, Math.floor(i / 12)]
      const sides = [4, 3, 2]
      const random = () => (throws.shift()! + 0.5) / sides.shift()!
      counts[new Hosts(hosts, random).next().host.name]!++
    }
    expect(counts).toEqual({ a: 6, b: 6, c: 6, d: 6 })
  })

  test('whatever the dice say, no host is lost and the list given is left as it was', () => {
    const given = [...hosts]
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        (dice) => {
          const order = new Hosts(given, () => dice.next().value as number)
          const names = hosts.map(() => order.next().host.name)
          expect(names.toSorted()).toEqual(['a', 'b', 'c', 'd'])
          expect(given).toEqual(hosts)
        },
      ),
    )
  })
})
