/**
 * When to ask another server whether it can write, while a read-only one serves. One question at a time,
 * one server after the other, with a pause that doubles.
 *
 * Source: Java's `ClientCnxn.SendThread.pingRwServer`.
 */
import { type Host } from '../protocol/connect-string.ts'

const pauseMsMin = 100
const pauseMsMax = 60_000

export class Prober {
  /** When the next question is due; `Infinity` while none is. */
  dueAtMs = Infinity
  #pauseMs = pauseMsMin
  #asked = 0

  start(nowMs: number): void {
    this.#pauseMs = pauseMsMin
    this.dueAtMs = nowMs + pauseMsMin
  }

  stop(): void {
    this.dueAtMs = Infinity
  }

  /** Whom of these to ask. The next question has to wait for the answer. */
  take(hosts: readonly Host[]): Host | null {
    this.stop()
    return hosts[this.#asked++ % hosts.length] ?? null
  }

  /** The answer was no, or there was none. */
  retry(nowMs: number): void {
    this.#pauseMs = Math.min(this.#pauseMs * 2, pauseMsMax)
    this.dueAtMs = nowMs + this.#pauseMs
  }
}
