import { type Timing } from './timing.ts'

/**
 * Whether the server of an attached link is alive, by what was heard and sent on it, and when to ping.
 * Where it names instants, `Infinity` means never.
 */
export class Heartbeat {
  attachedAtMs = 0
  /** Outlives its link: what was heard last says how long the servers keep the session. */
  heardAtMs = 0
  #sentAtMs = 0
  #isPingDue = false
  /** When each ping was sent that has no answer yet, oldest first. */
  #pingedAtMs: number[] = []
  /** The server has read what was sent before this: a ping from then was answered. */
  readBeforeMs = -Infinity
  /** That the server is silent was told, and it has not said anything since. */
  #isSilenceTold = false
  /** When this process was found to have been busy. */
  #stalledAtMs = -Infinity

  /** The link is attached now. */
  start(nowMs: number): void {
    this.attachedAtMs = nowMs
    this.heardAtMs = nowMs
    this.#sentAtMs = nowMs
  }

  /** Whatever the last link was asked is not owed by the next. */
  forgetPing(): void {
    this.#isPingDue = false
    this.#pingedAtMs = []
  }

  hear(nowMs: number): void {
    this.heardAtMs = nowMs
    this.#isSilenceTold = false
  }

  send(nowMs: number): void {
    this.#sentAtMs = nowMs
  }

  /**
   * When a ping is due, unless one is already. That the last one is unanswered is no reason to fall
   * silent: its answer may stand behind a hundred megabytes of replies, and meanwhile the server would
   * end the session of a client that says nothing.
   */
  pingDueMs({ pingAfterMs }: Timing): number {
    return this.#isPingDue ? Infinity : this.#sentAtMs + pingAfterMs
  }

  askForPing(): void {
    this.#isPingDue = true
  }

  /** Whether a ping is to be sent now; it counts as sent. */
  takePing(nowMs: number): boolean {
    if (!this.#isPingDue) return false
    this.#isPingDue = false
    this.#pingedAtMs.push(nowMs)
    return true
  }

  /** @returns how long the answer took, in milliseconds. */
  handlePong(nowMs: number): number {
    const pingedAtMs = this.#pingedAtMs.shift()
    if (pingedAtMs === undefined) return 0 // nobody asked
    this.readBeforeMs = pingedAtMs
    return nowMs - pingedAtMs
  }

  /** When the link counts as dead. */
  silentAtMs({ silentAfterMs }: Timing): number {
    return this.heardAtMs + silentAfterMs
  }

  /**
   * When the server's silence is worth telling. It is not blamed for what a busy process has not read
   * or asked for.
   */
  quietAtMs({ quietAfterMs, answerWithinMs }: Timing): number {
    if (this.#isSilenceTold) return Infinity
    return Math.max(this.heardAtMs + quietAfterMs, this.#stalledAtMs + answerWithinMs)
  }

  noteStall(nowMs: number): void {
    this.#stalledAtMs = nowMs
  }

  /** @returns how long the server has been silent, in milliseconds. */
  tellSilence(nowMs: number): number {
    this.#isSilenceTold = true
    return nowMs - this.heardAtMs
  }
}
