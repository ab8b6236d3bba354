import { type Call, type Failure } from './call.ts'
import { type Mode } from './watches.ts'

/** The one-shot watches that servers tell apart. */
export type OneShot = 'data' | 'child'

/** What brings a server's watch nearer to what is wanted. */
export type Step =
  | 'removeAll'
  | 'removeData'
  | 'removeChildren'
  /** The persistent watch stays. */
  | 'removeRecursive'
  /** A recursive watch becomes a persistent one. */
  | 'weaken'
  /** One-shot watches are set behind the reads that they belong to, as on a new connection. */
  | 'arm'

/** One path on the server of the present connection. */
export class PathState {
  /** The persistent watch that the server has confirmed. */
  mode: Mode | null = null
  /** What was sent and is not answered, oldest first. */
  readonly inFlight: Call[] = []
  /** One-shot watches that the server may have and that perhaps nobody wants. */
  readonly surplus = new Set<OneShot>()
  /** Its watch was recursive and is persistent now: servers from 3.9 on have both. */
  isWeakened = false
  /** One-shot watches are wanted that the server may not have: what has happened since is theirs. */
  uncoveredZxid: bigint | null = null
  /** A step towards what is wanted is under way. */
  isBusy = false
  /** Who waits for the server to watch no more than is wanted. */
  waiting: ((failure: Failure | null) => void)[] = []

  /** What the server will have when it has seen all that was sent. */
  get modeAsked(): Mode | null {
    for (let i = this.inFlight.length - 1; i >= 0; i--) {
      const { asked } = this.inFlight[i]!
      if (asked === 'removal') return null
      if (asked === 'persistent' || asked === 'recursive') return asked
    }
    return this.mode
  }

  forget(call: Call): void {
    this.inFlight.splice(this.inFlight.indexOf(call), 1)
  }

  /** A step has led to what it should. */
  take(step: Step): void {
    if (step === 'removeRecursive') this.isWeakened = false
    else if (step === 'removeChildren') this.surplus.delete('child')
    else if (step === 'removeData') this.surplus.delete('data')
    else if (step === 'arm') this.uncoveredZxid = null
    else {
      this.mode = step === 'weaken' ? 'persistent' : null
      this.isWeakened = step === 'weaken'
      this.surplus.clear()
    }
  }

  tellSettled(failure: Failure | null): void {
    const waiting = this.waiting
    this.waiting = []
    for (const settled of waiting) settled(failure)
  }
}
