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

  test('the first list moves nobody, and is dialled like any other', () => {
    const order = new Hosts([], () => 0.5)
    expect(order.count).toBe(0)
    expect(order.update(hosts)).toBe(false)
    const dialled = hosts.map(() => order.next().host.name)
    expect(dialled.toSorted()).toEqual(['a', 'b', 'c', 'd'])
  })

  test('a host that is named twice is one host', () => {
    const order = new Hosts([...hosts, ...hosts], () => 0.5)
    expect(order.count).toBe(4)
  })

  test('R44: all are down and one comes up: it is reached within one round', () => {
    const order = new Hosts(hosts, () => 0.3)
    for (let downFor = 0; downFor < 9; downFor++) {
      order.next()
      const round = hosts.map(() => order.next().host.name)
      expect(new Set(round)).toEqual(new Set(['a', 'b', 'c', 'd']))
    }
  })

  // Else each reconnect would begin with the dead address of a name again.
  test('a host that served is dialled at the same address next time', () => {
    const order = new Hosts(hosts.slice(0, 1), () => 0)
    order.next()
    expect(order.next().attempt).toBe(1)
    order.settle()
    expect(order.next().attempt).toBe(1)
    expect(order.next().attempt).toBe(2)
  })
})

describe('an update of the hosts', () => {
  const names = (order: Hosts, count: number) => {
    return Array.from({ length: count }, () => order.next().host.name)
  }

  test('a client whose host is gone goes round the others', () => {
    const order = inGivenOrder(hosts)
    order.next()
    expect(order.update(hosts.slice(1))).toBe(true)
    expect(names(order, 6)).toEqual(['b', 'c', 'd', 'b', 'c', 'd'])
  })

  test('a client that stays goes on behind its host', () => {
    const order = inGivenOrder(hosts)
    names(order, 2)
    expect(order.update(hosts.slice(1))).toBe(false)
    expect(names(order, 3)).toEqual(['c', 'd', 'b'])
  })

  test('before the first dial it begins with the first host', () => {
    const order = inGivenOrder(hosts)
    expect(order.update(hosts.slice(2))).toBe(true)
    expect(names(order, 3)).toEqual(['c', 'd', 'c'])
  })

  test('a client on its way to a new host counts as that host’s', () => {
    const order = inGivenOrder(hosts.slice(0, 2))
    order.next()
    expect(order.update(hosts.slice(1))).toBe(true) // to c, or d
    expect(order.update(hosts.slice(1))).toBe(false)
  })

  test('once a host serves, the round is the usual one', () => {
    const order = inGivenOrder(hosts.slice(0, 2))
    names(order, 2)
    order.update([hosts[0]!, hosts[2]!, hosts[3]!])
    expect(names(order, 1)).toEqual(['c'])
    order.settle()
    expect(names(order, 3)).toEqual(['d', 'a', 'c'])
  })
})

function inGivenOrder(list: typeof hosts): Hosts {
  return new Hosts(list, () => 1 - Number.EPSILON)
}
