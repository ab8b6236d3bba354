import { LeaseTimers } from '../../src/session/lease-timers.ts'
import {
  type Link,
  type Runtime,
  type Target,
  type Timer,
  type Transport,
} from '../../src/session/runtime.ts'

/** A runtime whose clock, sockets and names are what the test makes of them. */
export class FakeRuntime implements Runtime {
  /** Every connection that was dialled, the last one last. */
  readonly transports: FakeTransport[] = []
  /** What a name resolves to; replace it for other answers. */
  lookup: (name: string) => Promise<readonly string[]> = async (name) => [`address of ${name}`]
  /** Thrown by the next dials. */
  dialError: Error | null = null
  #nowMs = 1_000
  #deferred: (() => void)[] = []
  readonly #leases = new LeaseTimers(this)
  readonly #timers = new Set<{ readonly atMs: number; readonly fire: () => void }>()

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#nowMs
  }

  uptimeMs(): number {
    return this.#nowMs
  }

  timer(atMs: number, fire: () => void): Timer {
    const timer = { atMs, fire }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  leaseTimer(atMs: number, fire: () => void): Timer {
    return this.#leases.add(atMs, fire)
  }

  settleLeases(): void {
    this.#leases.settle()
  }

  defer(run: () => void): void {
    this.#deferred.push(run)
  }

  random(): number {
    return 0.5
  }

  uuid(): string {
    return '00000000-0000-4000-8000-000000000000'
  }

  resolve(name: string): Promise<readonly string[]> {
    return this.lookup(name)
  }

  async resolveService(): Promise<never> {
    throw new Error('there is no DNS')
  }

  dial(target: Target, link: Link): Transport {
    if (this.dialError !== null) throw this.dialError
    const transport = new FakeTransport(target, link)
    this.transports.push(transport)
    return transport
  }

  get transport(): FakeTransport {
    const transport = this.transports.at(-1)
    if (transport === undefined) throw new Error('nothing was dialled')
    return transport
  }

  /** When the timers that wait will fire. */
  get timersAtMs(): number[] {
    return [...this.#timers].map(({ atMs }) => atMs)
  }

  get deferredCount(): number {
    return this.#deferred.length
  }

  /** Ends the turn, and lets the promises of look-ups react. */
  async turn(): Promise<void> {
    const deferred = this.#deferred
    this.#deferred = []
    for (const run of deferred) run()
    for (let i = 0; i < 10; i++) await Promise.resolve()
  }

  /** Lets time pass while nothing can fire, as when the process is busy. */
  block(ms: number): void {
    this.#nowMs += ms
  }

  /** Lets time pass, and fires what becomes due. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= endMs)
      const [next] = due.sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.fire()
      await this.turn()
    }
    this.#nowMs = endMs
  }
}

export class FakeTransport implements Transport {
  readonly target: Target
  readonly link: Link
  readonly written: Buffer[] = []
  isDestroyed = false
  /** Whether the socket takes everything at once. */
  isRoomy = true

  constructor(target: Target, link: Link) {
    this.target = target
    this.link = link
  }

  write(parts: readonly Uint8Array[]): boolean {
    this.written.push(Buffer.concat(parts))
    return this.isRoomy
  }

  destroy(): void {
    this.isDestroyed = true
  }

  receive(bytes: Buffer): void {
    this.link.handleBytes(bytes, bytes.length)
  }
}
