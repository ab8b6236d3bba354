/**
 * Which session a handshake offers, and what its answer says of the session.
 *
 * What makes it more than an id and a password: a server may refuse without a word. One that has less
 * data than the client has seen closes the connection, and so does one without a quorum (since 3.7, if
 * it knows the session), one that starts, and one that has too many connections. So nothing follows
 * from a silence; but the next offer to that host may be another one.
 *
 * | kind    | offers                     | when                                                    |
 * | ------- | -------------------------- | ------------------------------------------------------- |
 * | `new`   | nothing                    | no quorum has opened a session for us                   |
 * | `own`   | our session                | usually                                                 |
 * | `guest` | nothing, for reads only    | our session was refused in silence, and reads will do   |
 * | `blind` | our session, and no zxid   | it was, and the session is lost: is the data lost, too? |
 */
import { formatHost, type Host } from '../protocol/connect-string.ts'
import { ProtocolError, ZooKeeperError } from '../protocol/errors.ts'
import { type ConnectResponse } from '../protocol/handshake.ts'

/** Id and password: who has them has the session. */
export interface Ticket {
  readonly id: bigint
  readonly password: Buffer
}

/** What an answer means, in the words of the state table. */
export type Verdict = 'established' | 'established-read-only' | 'refused' | 'data-lost'

/** Which offers may be made besides the usual ones. */
export interface Ways {
  readonly guest: boolean
  readonly blind: boolean
}

const noTicket: Ticket = { id: 0n, password: Buffer.alloc(16) }

export class Offer {
  /** The session that a quorum knows. */
  own: Ticket | null
  /** The one that a read-only server has made up: it means nothing to the others. */
  #local: Ticket | null = null
  #kind: 'new' | 'own' | 'guest' | 'blind' = 'new'
  #host = ''
  /** Hosts that met our session with silence. */
  readonly #silent = new Set<string>()

  constructor(own: Ticket | null) {
    this.own = own
  }

  /** 0n until a server has opened a session. */
  get id(): bigint {
    return (this.own ?? this.#local ?? noTicket).id
  }

  get isBlind(): boolean {
    return this.#kind === 'blind'
  }

  /** What to offer to this host. */
  make(host: Host, ways: Ways): Ticket {
    this.#host = formatHost(host)
    const wasSilent = this.#silent.delete(this.#host)
    if (this.own === null) {
      this.#kind = 'new'
      return noTicket
    }
    if (wasSilent && ways.blind) this.#kind = 'blind'
    else if (wasSilent && ways.guest) this.#kind = 'guest'
    else this.#kind = 'own'
    return this.#kind === 'guest' ? noTicket : this.own
  }

  /** The host has not answered. */
  noteSilence(): void {
    if (this.#kind === 'own') this.#silent.add(this.#host)
  }

  /**
   * What the host has answered.
   *
   * @throws {ZooKeeperError} if it means nothing for the session: another host may do better.
   */
  judge(response: ConnectResponse): Verdict {
    const { protocolVersion, timeOut } = response
    if (protocolVersion !== 0 || timeOut < 0) {
      throw new ProtocolError('the peer answers the handshake with something else')
    }
    return timeOut === 0 ? this.#judgeRefusal(response) : this.#judgeSession(response)
  }

  #judgeRefusal({ readOnly }: ConnectResponse): Verdict {
    if (this.#kind === 'new' || this.#kind === 'guest') {
      throw new ProtocolError('the server refuses to open a session')
    }
    if (readOnly === true) {
      this.noteSilence() // it knows its own sessions only, and cannot ask the others
      throw new ProtocolError('a server without a quorum does not know the session')
    }
    return this.#kind === 'blind' ? 'data-lost' : 'refused'
  }

  #judgeSession({ sessionId, passwd, readOnly }: ConnectResponse): Verdict {
    const ticket = { id: sessionId, password: passwd ?? noTicket.password }
    if (this.#kind === 'blind') {
      const detail =
        'the server knows the session, but may have less data than this client has seen'
      throw new ZooKeeperError('DATA_INCONSISTENCY', { detail })
    }
    if (readOnly === true) {
      this.#local = ticket
      this.#silent.clear()
      return 'established-read-only'
    }
    if (this.#kind === 'guest') {
      throw new ProtocolError('the server is not read-only any more: it is offered the session')
    }
    // Some servers open another session rather than say that this one is gone.
    if (this.own !== null && sessionId !== this.own.id) return 'refused'
    this.own = ticket
    this.#silent.clear()
    return 'established'
  }
}
