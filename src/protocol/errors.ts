import { errorCodes, type ErrorCode } from './error-codes.ts'

/**
 * What a failed call did to the servers' data.
 *
 * - `'applied'`: the server said that it happened, but its reply could not be used.
 * - `'not-applied'`: it did not happen. Either no byte of the request was given to the socket, or the
 *   server answered an error of the table in `errorCodes`.
 * - `'unknown'`: the request may have reached a server and the answer did not reach us.
 */
export type Outcome = 'applied' | 'not-applied' | 'unknown'

/** The circumstances of an error; every field is optional because not every error has it. */
export interface ErrorContext {
  /** The number answered by the server, where it is not the one `code` implies. */
  readonly errno?: number | null
  /** The operation, as ZooKeeper names it: `'getData'`. */
  readonly op?: string | null
  /** The path as the caller wrote it. */
  readonly path?: string | null
  readonly sessionId?: bigint | null
  /** `host:port` of the server the request was sent to. */
  readonly server?: string | null
  readonly outcome?: Outcome
  /** The first version of ZooKeeper that knows the operation, if the server does not. */
  readonly since?: string | null
  readonly cause?: unknown
  /** A sentence that replaces the code's general meaning. */
  readonly detail?: string
}

const brand = Symbol.for('zoowire.ZooKeeperError')

/**
 * The one error class of this package. Match on `code`; `outcome` says whether a write happened.
 * `name` is `'AbortError'` for `ABORTED` and `'TimeoutError'` for `TIMEOUT`, as in the web platform.
 */
export class ZooKeeperError extends Error {
  readonly code: ErrorCode
  /** The server's number for this error, such as -101; null for errors of the client itself. */
  readonly errno: number | null
  readonly op: string | null
  readonly path: string | null
  readonly sessionId: bigint | null
  readonly server: string | null
  readonly outcome: Outcome
  /**
   * The first version of ZooKeeper that knows the operation, where `UNIMPLEMENTED` means that this
   * server does not know it; else null.
   */
  readonly since: string | null
  /** Whether the same call may succeed later without the caller changing anything. */
  readonly retriable: boolean
  /** What went wrong, in words: the message without operation, path and code. */
  readonly detail: string

  constructor(code: ErrorCode, context: ErrorContext = {}) {
    super(describe(code, context), 'cause' in context ? { cause: context.cause } : undefined)
    this.name = names[code] ?? 'ZooKeeperError'
    this.code = code
    this.errno = context.errno ?? errorCodes[code].errno
    this.op = context.op ?? null
    this.path = context.path ?? null
    this.sessionId = context.sessionId ?? null
    this.server = context.server ?? null
    this.outcome = context.outcome ?? 'not-applied'
    this.since = context.since ?? null
    this.retriable = errorCodes[code].retriable
    this.detail = context.detail ?? errorCodes[code].meaning
  }

  /** Lets two copies of this package recognise each other's errors. */
  get [brand](): true {
    return true
  }
}

/** The peer sent bytes that are not the ZooKeeper protocol. It costs that connection, never more. */
export class ProtocolError extends ZooKeeperError {
  constructor(detail: string, context: ErrorContext = {}) {
    super('PROTOCOL_ERROR', { ...context, detail })
  }
}

/**
 * Whether `error` is a {@link ZooKeeperError} of any copy of this package, and, with `code`, whether
 * it is that one.
 *
 * @example
 * if (isZooKeeperError(error, 'NO_NODE')) return null
 */
export function isZooKeeperError(error: unknown, code?: ErrorCode): error is ZooKeeperError {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false
  return error[brand] === true && (code === undefined || (error as ZooKeeperError).code === code)
}

const names: Partial<Record<ErrorCode, string>> = { ABORTED: 'AbortError', TIMEOUT: 'TimeoutError' }

/** `getData /config: the znode does not exist (NO_NODE)`, with server text made safe to print. */
function describe(
  code: ErrorCode,
  { op, path, errno, outcome, since, detail }: ErrorContext,
): string {
  const subject = [op, path].filter((part) => part !== null && part !== undefined).join(' ')
  const meaning = detail ?? errorCodes[code].meaning
  const number = code === 'UNKNOWN_ERROR' && typeof errno === 'number' ? ` ${String(errno)}` : ''
  const hint = typeof since === 'string' ? `, which came with ZooKeeper ${since}` : ''
  const doubt = outcome === 'unknown' ? '; the outcome is unknown' : ''
  return printable(
    `${subject === '' ? '' : `${subject}: `}${meaning}${hint}${doubt} (${code}${number})`,
  )
}

/** Escapes control characters, so that text from the network cannot forge lines of a log. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
