import { type Operation, operations } from '../protocol/operations.ts'
import { type Asked, Call, type Failure } from './call.ts'
import { type PathState, type Step } from './path-state.ts'

/** A request of our own, so that the server watches what is wanted. It is made when it is sent. */
export class UpkeepCall extends Call {
  readonly step: Step
  readonly state: PathState
  readonly #finish: (call: UpkeepCall, failure: Failure | null) => void

  constructor(
    step: Step,
    path: string,
    state: PathState,
    finish: (call: UpkeepCall, failure: Failure | null) => void,
  ) {
    const { operation, asked } = requests[step] ?? removal
    super(operation, undefined, path, null)
    this.setsWatch = true
    this.asked = asked
    this.step = step
    this.state = state
    this.#finish = finish
  }

  override succeed(): void {
    this.#finish(this, null)
  }

  override fail(failure: Failure): void {
    this.#finish(this, failure)
  }
}

interface Facts {
  readonly operation: Operation
  readonly asked: Asked
}

const { addWatch, removeWatches, setWatches } = operations
const removal: Facts = { operation: removeWatches, asked: 'nothing' }

const requests: Partial<Record<Step, Facts>> = {
  removeAll: { operation: removeWatches, asked: 'removal' },
  weaken: { operation: addWatch, asked: 'persistent' },
  arm: { operation: setWatches, asked: 'oneShot' },
}
