import { type Borrowed } from '../protocol/bytes.ts'
import { type ErrorCode } from '../protocol/error-codes.ts'
import { type ErrorContext, type Outcome } from '../protocol/errors.ts'
import { type Operation } from '../protocol/operations.ts'
import { type Mode, type Watcher } from './watches.ts'

/**
 * How far a call has come. The step from `batched` to `written` is the moment at which its fate
 * becomes unknowable without a reply.
 */
export const Phase = { held: 0, batched: 1, written: 2, settled: 3 } as const
export type Phase = (typeof Phase)[keyof typeof Phase]

/** What a request that was sent makes of the server's watch of its path. */
export type Asked = 'nothing' | 'oneShot' | 'removal' | Mode

/** Why a call failed. The error itself is made where the caller's stack can be seen. */
export interface Failure extends ErrorContext {
  readonly code: ErrorCode
}

/** The encoded request of a call that waits: a copy, so that the caller may reuse its buffers. */
export interface HeldFrame {
  readonly bytes: Buffer
  readonly borrowed: readonly Borrowed[]
}

/** What is noted of a call for those who trace it, as it becomes known. */
export interface CallTrace {
  xid: number | null
  /** Of the reply. */
  zxid: bigint | null
  server: string | null
  sessionId: bigint | null
  /** Bytes of the request and of the reply, with their length in front; 0 if there was none. */
  bytesOut: number
  bytesIn: number
  outcome: Outcome | 'succeeded' | null
  code: ErrorCode | null
}

/**
 * One request on its way through the pipeline. What settling means is the subclass's business; it is
 * told exactly once, and must not run user code before the present turn is over.
 */
export abstract class Call {
  readonly operation: Operation
  readonly request: unknown
  /** The path as the server knows it; `''` if the operation has none. */
  readonly path: string
  /** Whom to tell of the watch, once the server has set it; null also if it was taken back since. */
  watcher: Watcher | null
  /** When the default timeout is over; `Infinity` if another clock watches over this call. */
  deadlineMs = Infinity

  // The pipeline's own notes.
  phase: Phase = Phase.held
  xid = 0
  /** Where the frame lies in the batch; meaningful while `batched`. */
  batchStart = 0
  batchEnd = 0
  /** Null if the request has to be encoded when its turn comes. */
  frame: HeldFrame | null = null
  /** What it counts for in the limit of waiting bytes; meaningful while `held`. */
  heldBytes = 0
  /** Written on an earlier connection of this session, and to be sent again. */
  isResent = false
  /** Whether the request changes what the server watches. */
  setsWatch: boolean
  /** What became of that wish when the request was sent. */
  asked: Asked = 'nothing'

  constructor(operation: Operation, request: unknown, path: string, watcher: Watcher | null) {
    this.operation = operation
    this.request = request
    this.path = path
    this.watcher = watcher
    this.setsWatch = watcher !== null && operation.watch !== null
  }

  /** Null unless somebody traces requests. */
  trace: CallTrace | null = null

  /** @throws {ProtocolError} if the response cannot be to this request; the call is settled all the same. */
  abstract succeed(response: unknown): void
  abstract fail(failure: Failure): void
}
