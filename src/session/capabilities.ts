/**
 * Which operations the servers know.
 *
 * There is no version in the protocol, and a server closes the connection on an operation that it does
 * not know: Apache ZooKeeper with an answer, others without. So it is learned from what is asked
 * anyway. An answer proves that the operation is known, and a certain one that it is not. A connection
 * that ends while such an operation is the oldest without an answer is evidence; the next time it goes
 * out alone, so that it harms nobody else, and after the third time it is not asked any more. A server
 * that goes on and ignores it does not know it either; see `trial.ts`.
 */
import { type Operation } from '../protocol/operations.ts'

/** A connection may be lost by chance while it waits for the answer, but not so often in a row. */
const strikesMax = 3

/** Servers are upgraded: what was refused is tried again on a connection made so much later. */
const refusedForMs = 10 * 60_000

export class Capabilities {
  readonly #servers = new Map<string, ServerCapabilities>()

  /** What is known of a server at the beginning of a connection to it. */
  at(server: string, nowMs: number): ServerCapabilities {
    const present = this.#servers.get(server)
    if (present !== undefined && nowMs < present.untilMs) return present
    const made = new ServerCapabilities(nowMs + refusedForMs)
    this.#servers.set(server, made)
    return made
  }
}

export class ServerCapabilities {
  readonly untilMs: number
  readonly #known = new Set<Operation>()
  readonly #strikes = new Map<Operation, number>()

  constructor(untilMs = Infinity) {
    this.untilMs = untilMs
  }

  isKnown(operation: Operation): boolean {
    return operation.isUniversal || this.#known.has(operation)
  }

  /** Whether it is no use to ask. */
  isRefused(operation: Operation): boolean {
    return this.#strikesOf(operation) >= strikesMax
  }

  /** Whether asking may cost the connection. */
  isSuspect(operation: Operation): boolean {
    return this.#strikesOf(operation) > 0
  }

  prove(operation: Operation): void {
    this.#known.add(operation)
    this.#strikes.delete(operation)
  }

  refuse(operation: Operation): void {
    this.#strikes.set(operation, strikesMax)
  }

  /** The connection ended before this was answered, which was the oldest that waited. */
  blame(operation: Operation): void {
    if (this.isKnown(operation)) return
    this.#strikes.set(operation, this.#strikesOf(operation) + 1)
  }

  #strikesOf(operation: Operation): number {
    return this.#strikes.size === 0 ? 0 : (this.#strikes.get(operation) ?? 0)
  }
}
