import { errorCodes } from '../protocol/error-codes.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type Operation, operations } from '../protocol/operations.ts'
import { stripChroot } from '../protocol/path.ts'
import { Call, type Failure } from '../session/call.ts'
import { type Watcher } from '../session/watches.ts'
import { hintAtChroot } from './missing-chroot.ts'
import { type Abandonable } from './signals.ts'

/** Who made a call, and below which chroot. */
export interface CallOwner {
  readonly chroot: string
}

/** Makes of a decoded response what the caller is given. */
export type Shape<T> = (response: never, chroot: string) => T

/** A call that a signal or a timer of its own may end early. */
export abstract class AbandonableCall extends Call implements Abandonable {
  /** Ends the watch of the signal and the timer. */
  release: (() => void) | null = null
  /** Abandons the call in its session; set together with a signal or a timer. */
  abandon: ((code: 'ABORTED' | 'TIMEOUT', cause?: unknown) => void) | null = null

  abort(reason: unknown): void {
    this.abandon?.('ABORTED', reason)
  }
}

/** A call that settles a promise: one promise per call, and nothing else allocated on success. */
export class Request<T> extends AbandonableCall {
  readonly owner: CallOwner
  readonly shape: Shape<T>
  readonly resolve: (value: T | PromiseLike<T>) => void

  constructor(
    owner: CallOwner,
    operation: Operation,
    request: unknown,
    path: string,
    watcher: Watcher | null,
    shape: Shape<T>,
    resolve: (value: T | PromiseLike<T>) => void,
  ) {
    super(operation, request, path, watcher)
    this.owner = owner
    this.shape = shape
    this.resolve = resolve
  }

  override succeed(response: unknown): void {
    this.release?.()
    this.resolve(this.shape(response as never, this.owner.chroot))
  }

  override fail(failure: Failure): void {
    this.release?.()
    const isMissing = failure.errno === errorCodes.NO_NODE.errno
    if (isMissing && this.operation === operations.exists) {
      this.resolve(null as T) // "it is not there" is an answer to exists, not a failure
    } else {
      this.resolve(rejection(() => this.errorOf(failure)))
    }
  }

  errorOf({ code, ...context }: Failure): ZooKeeperError {
    const op = this.operation.name
    const path = this.path === '' ? null : stripChroot(this.owner.chroot, this.path)
    const hint = hintAtChroot(this.owner.chroot, code, op, path)
    return new ZooKeeperError(code, { op, path, ...hint, ...context })
  }
}

/**
 * A promise that rejects behind two reactions. By then V8 knows who awaits the call, and the error's
 * stack shows those frames; a call that succeeds pays nothing for it.
 */
export async function rejection(error: () => ZooKeeperError): Promise<never> {
  await Promise.resolve()
  await Promise.resolve()
  throw error()
}
