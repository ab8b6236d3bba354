import { type Call } from './call.ts'
import { type Heartbeat } from './heartbeat.ts'
import { type Timing } from './timing.ts'

/**
 * The request whose answer a server owes next, if it may not know the operation. Most servers close the
 * connection then; but one that says nothing would hold the call, and all others that wait for it, until
 * its own time is over. So there is a limit, for servers that are alive: that answered a ping which was
 * sent behind the request.
 */
export class Trial {
  #call: Call | null = null
  #sinceMs = 0

  note(call: Call | null, nowMs: number): void {
    if (call === this.#call) return
    this.#call = call
    this.#sinceMs = nowMs
  }

  /** When it is over; `Infinity` if there is none, or the server may not have come to it yet. */
  endsAtMs({ readBeforeMs }: Heartbeat, { trialMs }: Timing): number {
    return this.#call !== null && readBeforeMs > this.#sinceMs ? this.#sinceMs + trialMs : Infinity
  }
}
