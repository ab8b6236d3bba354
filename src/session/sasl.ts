/**
 * SASL: mechanism and server exchange tokens until both are content. It comes behind the handshake of
 * each connection, ahead of everything else that is said on it.
 *
 * Source: `ZooKeeperSaslClient`.
 */
import { type Host } from '../protocol/connect-string.ts'
import { operations } from '../protocol/operations.ts'
import { type SetSASLResponse } from '../protocol/records.ts'
import { Call, type Failure } from './call.ts'

/**
 * A way to prove who one is. DIGEST-MD5 is built in; others, such as GSSAPI, are plugged in through
 * this interface.
 *
 * What a mechanism throws costs the attempt, as when no ticket can be had just now, and the next
 * server is tried. When trying again is of no use, it throws a `ZooKeeperError` of the code
 * `AUTH_FAILED`, which ends the client.
 */
export interface SaslMechanism {
  /** As registered, such as `'GSSAPI'`. It stands in errors. */
  readonly name: string
  /** Begins an exchange with a server, as the connect string names it: one for each connection. */
  begin(server: Host): SaslExchange | Promise<SaslExchange>
}

/** The state of one exchange. */
export interface SaslExchange {
  /** What the client says first; it may be empty. */
  readonly initialResponse: Uint8Array
  /**
   * What to answer. A challenge is null if the server has nothing more to say, or does not take part
   * in SASL.
   *
   * @returns null if the exchange is complete, and the server has proved itself if it is to do so.
   */
  evaluate(challenge: Uint8Array | null): Uint8Array | null | Promise<Uint8Array | null>
}

/** An exchange that has begun, and whose it is. */
export interface SaslLogin {
  readonly mechanism: string
  readonly exchange: SaslExchange
}

/** Asked at each dial: tickets and passwords are renewed while a client lives. */
export type SaslProvider = (server: Host) => Promise<SaslLogin>

/** What a server has said, for the mechanism to answer. */
export interface SaslChallenge {
  readonly token: Uint8Array | null
}

/** One token on its way. A cut makes it moot: the next connection begins anew. */
export class SaslCall extends Call {
  readonly #challenged: (challenge: SaslChallenge) => void
  readonly #rejected: (failure: Failure) => void

  constructor(
    token: Uint8Array,
    challenged: (challenge: SaslChallenge) => void,
    rejected: (failure: Failure) => void,
  ) {
    super(operations.sasl, { token }, '', null)
    this.#challenged = challenged
    this.#rejected = rejected
  }

  override succeed({ token }: SetSASLResponse): void {
    this.#challenged({ token })
  }

  override fail(failure: Failure): void {
    if (failure.errno !== undefined) this.#rejected(failure) // else no server has said so
  }
}
