import { operations } from '../protocol/operations.ts'
import { Call } from './call.ts'

/** The last request of a session: that its servers forget it. */
export class CloseCall extends Call {
  readonly #done: () => void

  constructor(done: () => void) {
    super(operations.closeSession, undefined, '', null)
    this.#done = done
  }

  override succeed(): void {
    this.#done()
  }

  /** Closing does not fail: without an answer the session ends by its timeout. */
  override fail(): void {
    // The link has ended, and with it the session.
  }
}
