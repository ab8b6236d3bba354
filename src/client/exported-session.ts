import { ZooKeeperError } from '../protocol/errors.ts'
import { type Handover } from '../session/session-parts.ts'

/** A session in plain values, to send to another process. Whoever has them has the session. */
export interface RevealedSession {
  /** Hexadecimal, such as `'0x100b2d7a3bd0000'`. */
  readonly id: string
  /** Hexadecimal. */
  readonly password: string
  /** The last zxid the client has seen, hexadecimal. */
  readonly lastZxid: string
}

/**
 * A session that its client has handed over. It is shown without its password, by `inspect`, `String`
 * and `JSON.stringify` alike: only {@link ExportedSession.reveal} tells it.
 */
export class ExportedSession {
  readonly id: bigint
  /** Milliseconds that the servers keep it without a client. */
  readonly timeout: number
  readonly #handover: Handover

  /** @internal */
  constructor(handover: Handover, timeout: number) {
    this.id = handover.id
    this.timeout = timeout
    this.#handover = handover
  }

  /** Everything that another client needs, the password included. */
  reveal(): RevealedSession {
    const { id, password, lastZxid } = this.#handover
    return { id: hex(id), password: password.toString('hex'), lastZxid: hex(lastZxid) }
  }

  toString(): string {
    return `session ${hex(this.id)}`
  }

  toJSON(): { readonly id: string; readonly timeout: number } {
    return { id: hex(this.id), timeout: this.timeout }
  }
}

/** @throws {ZooKeeperError} `BAD_ARGUMENTS` for what is no session. */
export function handoverOf(session: ExportedSession | RevealedSession): Handover {
  const { id, password, lastZxid } = session instanceof ExportedSession ? session.reveal() : session
  const bytes = isHex(password, /^([\da-f]{2})+$/i) ? Buffer.from(password, 'hex') : null
  if (bytes === null || !isHex(id, zxidPattern) || !isHex(lastZxid, zxidPattern)) {
    throw new ZooKeeperError('BAD_ARGUMENTS', { op: 'connect', detail: 'session is no session' })
  }
  return { id: int64(id), password: bytes, lastZxid: int64(lastZxid) }
}

const zxidPattern = /^0x[\da-f]{1,16}$/i

function isHex(text: unknown, pattern: RegExp): text is string {
  return typeof text === 'string' && pattern.test(text)
}

function hex(id: bigint): string {
  return `0x${BigInt.asUintN(64, id).toString(16)}`
}

function int64(text: string): bigint {
  return BigInt.asIntN(64, BigInt(text))
}
