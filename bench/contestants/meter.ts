import { build, type Histogram } from 'hdr-histogram-js'
import { setTimeout as delay } from 'node:timers/promises'
import { type Measurement, type Plan } from '../plan.ts'

/** Reading the clock twice per operation would cost as much as a good client does, so few are timed. */
const timedMax = 16

/** What the contestants have in common: they ask whether to go on, and tell what they have done. */
export class Meter {
  isRunning = true
  /** The warm-up is over. */
  isMeasuring = false
  operations = 0
  /** How many of the operations in flight at a time are to be timed. */
  readonly timed: number
  readonly #latencies: Histogram = build({ numberOfSignificantValueDigits: 3 })

  constructor(inFlight: number) {
    this.timed = Math.min(inFlight, timedMax)
  }

  /** So many operations have ended that began at `atMs`; 0 if they were not timed. */
  count(atMs: number, operations = 1): void {
    this.operations += operations
    if (atMs !== 0) this.recordLatency(performance.now() - atMs)
  }

  recordLatency(ms: number): void {
    this.#latencies.recordValue(Math.max(1, Math.round(ms * 1000)))
  }

  /** Waits for the warm-up to pass, and measures what is done between then and the end. */
  async measure({ warmupMs, measuredMs }: Plan): Promise<Omit<Measurement, 'operationsInAll'>> {
    await delay(warmupMs)
    this.isMeasuring = true
    this.#latencies.reset()
    const operationsBefore = this.operations
    const cpuBefore = process.cpuUsage()
    const startedMs = performance.now()
    await delay(measuredMs)
    const elapsedMs = performance.now() - startedMs
    const { user, system } = process.cpuUsage(cpuBefore)
    const operations = this.operations - operationsBefore
    return {
      operationsPerSecond: (operations * 1000) / elapsedMs,
      cpuMicrosPerOperation: (user + system) / operations,
      p50Micros: this.#latencies.getValueAtPercentile(50),
      p99Micros: this.#latencies.getValueAtPercentile(99),
    }
  }
}

/** A client under measurement. */
export interface Contender {
  /** Keeps as many operations in flight as planned while the meter runs; resolves after the last. */
  run(meter: Meter): Promise<void>
  close(): Promise<void>
}
