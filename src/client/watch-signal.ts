/** How a one-shot watch is taken back by a signal. */
import { errorCodes } from '../protocol/error-codes.ts'
import { operations } from '../protocol/operations.ts'
import { type Failure } from '../session/call.ts'
import { oneShotNames, type Watcher, type WatchEvent } from '../session/watches.ts'
import { Request } from './request.ts'
import { type SessionKeeper } from './session-keeper.ts'
import { nameWatcher } from './watcher-names.ts'

/** In front of a watcher, until it is called or shut. */
export class Gate {
  readonly tell: Watcher
  isShut = false
  stopSignal: () => void = () => undefined

  constructor(watcher: Watcher) {
    this.tell = (event: WatchEvent) => {
      this.stopSignal()
      if (!this.isShut) watcher(event) // it may have been shut since the event was queued
    }
    nameWatcher(this.tell, watcher)
  }
}

/** A read whose watch is taken back when a signal fires, whether it has been answered or not. */
export class RevocableRead<T> extends Request<T> {
  #gate: Gate | null = null

  /** To be called before it is sent. */
  revokeAt(signal: AbortSignal, gate: Gate, keeper: SessionKeeper): void {
    const { watcher } = this
    const abort = () => {
      gate.isShut = true
      this.watcher = null // in case that it is not set yet
      keeper.unwatch(oneShotNames, this.path, (one) => one === watcher)
    }
    gate.stopSignal = keeper.signals.add(signal, { abort })
    this.#gate = gate
  }

  override fail(failure: Failure): void {
    const isMissing = failure.errno === errorCodes.NO_NODE.errno
    const isSet = isMissing && this.operation === operations.exists
    if (!isSet) this.#gate?.stopSignal()
    super.fail(failure)
  }
}
