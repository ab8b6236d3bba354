/** A whole server without sockets: state, the rules that change it, and the timers they need. */
import { type handshake, operationByCode, type Reader, type records } from '../protocol/index.ts'
import { type Timer } from './clock.ts'
import { answerWord } from './four-letter-words.ts'
import { answerHandshake } from './handshake.ts'
import { Link, type LinkHost, replyEmpty, type Wire } from './link.ts'
import { processRequest } from './processor.ts'
import { ServerState, type StateOptions } from './state.ts'

/** A request that has come in. */
export interface RequestView {
  readonly sessionId: bigint
  /** As ZooKeeper names it: `getData`, `create2`, `ping`; `opcode 99` for one that it does not know. */
  readonly operation: string
}

/**
 * What a network does to a request, once: `drop-request` cuts the link before it is carried out,
 * `drop-reply` after. The client cannot tell the two apart. Or what a server answers instead of
 * carrying it out: an error number, such as -127 for one that throttles.
 */
export type Fault = 'drop-request' | 'drop-reply' | { readonly err: number }

export interface KeeperOptions extends StateOptions {
  /** Decides the fate of each request as it comes in. */
  readonly intercept?: ((request: RequestView) => Fault | undefined) | undefined
  /** How often abandoned containers and outdated TTL znodes are looked for. */
  readonly sweepIntervalMs: number
}

export class Keeper implements LinkHost {
  readonly state: ServerState
  readonly #options: KeeperOptions
  readonly #links = new Set<Link>()
  #sweepTimer: Timer | null = null

  constructor(options: KeeperOptions) {
    this.#options = options
    this.state = new ServerState(options)
  }

  /** A connection has come in. */
  accept(wire: Wire): Link {
    const link = new Link(wire, this)
    this.#links.add(link)
    return link
  }

  /** Resets all connections. Sessions, znodes and the log stay. */
  cut(): void {
    for (const link of [...this.#links]) link.reset()
  }

  /** Stops time: no session expires and nothing is swept until {@link resume}. */
  pause(): void {
    this.cut()
    this.state.sessions.pause()
    this.#sweepTimer?.cancel()
    this.#sweepTimer = null
  }

  resume(): void {
    this.state.sessions.unpause()
    this.#armSweep()
  }

  handleWord(word: string): string | null {
    return answerWord(this.state, word)
  }

  handleHandshake(link: Link, request: handshake.ConnectRequest): void {
    answerHandshake(this.state, link, request)
  }

  handleRequest(link: Link, header: records.RequestHeader, body: Reader): void {
    const operation = operationByCode.get(header.type)?.name ?? `opcode ${header.type}`
    const fault = this.#options.intercept?.({ sessionId: link.sessionId, operation })
    if (typeof fault === 'object') {
      replyEmpty(link, { xid: header.xid, zxid: this.state.lastZxid, err: fault.err })
      return
    }
    if (fault !== 'drop-request') processRequest(this.state, link, header, body)
    if (fault !== undefined) link.reset()
    this.#armSweep()
  }

  handleClosed(link: Link): void {
    this.#links.delete(link)
    this.state.watches.forget(link)
    if (this.state.linkOf.get(link.sessionId) === link) this.state.linkOf.delete(link.sessionId)
  }

  /** A timer runs only while there is something it could remove. */
  #armSweep(): void {
    if (this.#sweepTimer !== null || !this.state.tree.hasRemovable) return
    const { clock, sweepIntervalMs } = this.#options
    this.#sweepTimer = clock.timer(clock.nowMs() + sweepIntervalMs, () => {
      this.#sweepTimer = null
      this.state.sweep()
      this.#armSweep()
    })
  }
}
