import { type Duplex } from 'node:stream'
import { ZooKeeperError } from '../protocol/errors.ts'

/** A server to open a stream to. */
export interface DialRequest {
  /** As the connect string names it; an address, if the option `lookup` is given, too. */
  readonly host: string
  readonly port: number
  /**
   * Aborted when the stream is not wanted any more: the attempt has taken too long, its connection was
   * given up, or the client was closed.
   */
  readonly signal: AbortSignal
}

/** Opens the stream of a connection: through a proxy or a tunnel, or to a server in this process. */
export type Dial = (request: DialRequest) => Duplex | Promise<Duplex>

/** Throws `BAD_ARGUMENTS` for what can open nothing. */
export function checkDial(dial: unknown): void {
  if (dial === undefined || typeof dial === 'function') return
  throw new ZooKeeperError('BAD_ARGUMENTS', { detail: 'dial is not a function' })
}
