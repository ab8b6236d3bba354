import { describe, expect, test } from 'vitest'
import { UptimeClock } from '../../../src/node/uptime.ts'

/** A machine that booted 7,003.4 ms before this process, and tells its uptime in steps of 10 ms. */
class Machine {
  #nowMs = 0
  #sleptMs = 0
  #wallOffsetMs = 1_700_000_000_000
  looks = 0

  run(ms: number): void {
    this.#nowMs += ms
  }

  sleep(ms: number): void {
    this.#sleptMs += ms
    this.#wallOffsetMs += ms
  }

  setWall(ms: number): void {
    this.#wallOffsetMs += ms
  }

  nowMs = () => this.#nowMs
  wallMs = () => this.#wallOffsetMs + this.#nowMs
  bootMs = () => {
    this.looks++
    return Math.floor((7_003.4 + this.#nowMs + this.#sleptMs) / 10) * 10
  }
}

describe('UptimeClock', () => {
  test('is as fine as the clock it is made of', () => {
    const machine = new Machine()
    const clock = new UptimeClock(machine)
    const startMs = clock.uptimeMs()
    machine.run(0.25)
    expect(clock.uptimeMs() - startMs).toBe(0.25)
  })

  test('counts the time asleep, and not only the second after', () => {
    const machine = new Machine()
    const clock = new UptimeClock(machine)
    machine.run(500)
    const beforeMs = clock.uptimeMs()
    machine.sleep(60_000)
    expect(Math.abs(clock.uptimeMs() - beforeMs - 60_000)).toBeLessThanOrEqual(10)
  })

  test('counts it within a second even if the wall clock was set back by as much', () => {
    const machine = new Machine()
    const clock = new UptimeClock(machine)
    const beforeMs = clock.uptimeMs()
    machine.sleep(60_000)
    machine.setWall(-60_000)
    machine.run(1_000)
    expect(Math.abs(clock.uptimeMs() - beforeMs - 61_000)).toBeLessThanOrEqual(10)
  })

  test.each([86_400_000, -86_400_000])('does not follow the wall clock by %i ms', (jumpMs) => {
    const machine = new Machine()
    const clock = new UptimeClock(machine)
    const beforeMs = clock.uptimeMs()
    machine.setWall(jumpMs)
    expect(Math.abs(clock.uptimeMs() - beforeMs)).toBeLessThanOrEqual(10)
  })

  test('never goes back, and never runs ahead of the machine', () => {
    const machine = new Machine()
    const clock = new UptimeClock(machine)
    let lastMs = clock.uptimeMs()
    for (let i = 0; i < 2_000; i++) {
      machine.run(i % 97)
      if (i % 300 === 0) machine.sleep(1_234)
      const uptimeMs = clock.uptimeMs()
      expect(uptimeMs).toBeGreaterThanOrEqual(lastMs)
      expect(uptimeMs - machine.bootMs()).toBeLessThan(10)
      lastMs = uptimeMs
    }
  })

  test('asks the machine once a second at most while nothing happens', () => {
    const machine = new Machine()
    const clock = new UptimeClock(machine)
    for (let i = 0; i < 1_000; i++) {
      machine.run(5)
      clock.uptimeMs()
    }
    expect(machine.looks).toBeLessThanOrEqual(6)
  })
})
