import { describe, expect, test } from 'vitest'
import { Prober } from '../../../src/session/prober.ts'

const hosts = ['a', 'b', 'c'].map((name) => ({ name, port: 2181 }))

describe('Prober', () => {
  test('asks nothing before it is started, nor after it was stopped', () => {
    const prober = new Prober()
    expect(prober.dueAtMs).toBe(Infinity)
    prober.start(1_000)
    prober.stop()
    expect(prober.dueAtMs).toBe(Infinity)
  })

  test('asks one server after the other, and waits for each answer', () => {
    const prober = new Prober()
    prober.start(0)
    const asked = Array.from({ length: 4 }, () => {
      const host = prober.take(hosts)
      expect(prober.dueAtMs).toBe(Infinity)
      prober.retry(0)
      return host?.name
    })
    expect(asked).toEqual(['a', 'b', 'c', 'a'])
  })

  test('has nobody to ask in a list of one', () => {
    expect(new Prober().take([])).toBeNull()
  })

  test('waits 100 ms, then twice as long each time, up to a minute; a start begins anew', () => {
    const prober = new Prober()
    prober.start(0)
    const pauses = [prober.dueAtMs]
    for (let i = 0; i < 11; i++) {
      prober.retry(0)
      pauses.push(prober.dueAtMs)
    }
    expect(pauses.slice(0, 4)).toEqual([100, 200, 400, 800])
    expect(pauses.slice(-3)).toEqual([51_200, 60_000, 60_000])
    prober.start(5)
    expect(prober.dueAtMs).toBe(105)
  })
})
