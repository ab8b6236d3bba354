import { type SessionState, type Trigger } from '../session/state.ts'
import { EventStream } from './event-stream.ts'

/**
 * What the client knows of its session.
 *
 * - `connecting`: none yet, or the next one after an expiry.
 * - `connected`: served.
 * - `read-only`: served by a server without a quorum; writes fail with `NOT_READ_ONLY`.
 * - `suspended`: no link; the servers still keep the session.
 * - `lost`: nothing heard for 4/3 of the session timeout: treat ephemerals as gone. The session is
 *   still offered at each dial, because a restarted ensemble may accept it.
 * - `expired`: a server said so. With the reason `data-lost` the servers may have lost data, too; with
 *   `taken-over` another client goes on with the session.
 * - `auth-failed`, `closed`: the end.
 */
export type State = Exclude<SessionState, 'closing'>

/** One step of the client's session, and why it was taken. */
export interface StateChange {
  readonly state: State
  readonly previous: State
  /**
   * What happened; `'renewed'` when a new session takes the place of an expired one, `'overflow'` when
   * the reader was so slow that changes were dropped.
   */
  readonly reason: Trigger | 'renewed' | 'overflow'
  /** The session concerned; 0n if there is none yet. */
  readonly sessionId: bigint
  /** The session before it, where this change brings another one. */
  readonly previousSessionId: bigint | null
  /** `host:port`, while connected. */
  readonly server: string | null
  /** What ended the connection, where something did. */
  readonly cause: unknown
}

/** Changes a slow reader of `states()` may be behind by. */
const behindMax = 1_000

/** The present state, and everyone who waits for another. */
export class States {
  #current: State = 'connecting'
  readonly #listeners = new Set<(change: StateChange) => void>()
  #leave: () => void = () => undefined

  /** States that are those of `parent`, until they are closed for themselves. */
  static of(parent: States): States {
    const states = new States()
    states.#current = parent.current
    states.#leave = parent.listen((change) => {
      states.publish(change)
    })
    return states
  }

  get current(): State {
    return this.#current
  }

  listen(listener: (change: StateChange) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  publish(change: StateChange): void {
    this.#current = change.state
    for (const listener of [...this.#listeners]) listener(change)
  }

  /** Ends states that follow others. */
  close(sessionId: bigint): void {
    this.#leave()
    if (isFinal(this.#current)) return
    const unchanged = unchangedOf(this.#current)
    this.publish({ ...unchanged, state: 'closed', reason: 'close-requested', sessionId })
  }

  /** Every change from now on, up to and including the last one. */
  changes(): EventStream<StateChange> {
    const overflow: StateChange = { ...unchangedOf(this.#current), reason: 'overflow' }
    const stream: EventStream<StateChange> = new EventStream(behindMax, overflow, () => {
      stop()
    })
    const stop = this.listen((change) => {
      stream.push(change)
      if (isFinal(change.state)) stream.end()
    })
    if (isFinal(this.#current)) stream.end()
    return stream
  }
}

/** Whether the client can do nothing more. `expired` may be followed by a new session. */
export function isFinal(state: State): boolean {
  return state === 'closed' || state === 'auth-failed'
}

function unchangedOf(state: State) {
  return {
    state,
    previous: state,
    sessionId: 0n,
    previousSessionId: null,
    server: null,
    cause: null,
  }
}
