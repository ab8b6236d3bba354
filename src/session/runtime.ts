import { type Host } from '../protocol/connect-string.ts'

/**
 * Everything impure that this package does, as one interface. `src/node` implements it for real;
 * a simulation implements it in virtual time, and the code above cannot tell the difference.
 */
export interface Runtime {
  /** Milliseconds on a clock that never jumps and whose origin means nothing. */
  nowMs(): number
  /** Milliseconds since 1970. */
  wallMs(): number
  /** Like `nowMs`, but it also counts the time a suspended machine slept. */
  uptimeMs(): number
  /** Calls `fire` once `nowMs()` has reached `atMs`; `Infinity` never comes. */
  timer(atMs: number, fire: () => void): Timer
  /** Calls `fire` once `uptimeMs()` has reached `atMs`: by itself, or in `settleLeases`. */
  leaseTimer(atMs: number, fire: () => void): Timer
  /** Fires the lease timers that are due: what is read now must not be acted on under those leases. */
  settleLeases(): void
  /** Calls `run` when the present turn and its promise reactions are over. */
  defer(run: () => void): void
  /** A number from 0 up to 1. */
  random(): number
  uuid(): string
  /** The addresses of a host name, in the resolver's order; the name itself if it is an address. */
  resolve(name: string): Promise<readonly string[]>
  /** The hosts that offer a service, from its SRV records in the DNS. */
  resolveService(name: string): Promise<readonly Host[]>
  /** Opens a connection. Whatever becomes of it is told to `link`, never synchronously. */
  dial(target: Target, link: Link): Transport
}

export interface Timer {
  /** Harmless once the timer has fired. */
  cancel(): void
}

/** Where to open a connection to. */
export interface Target {
  readonly address: string
  readonly port: number
  /** The host as the user named it: what its certificate must be for. */
  readonly name: string
  /** Null for a connection in clear. */
  readonly tls: TlsSettings | null
}

/** Settings of the runtime's own TLS. Nothing above the runtime looks inside. */
export type TlsSettings = object

/** What a transport tells. After `handleClosed` it tells nothing more. */
export interface Link {
  handleOpened(): void
  /**
   * The first `length` of `bytes` came in. They are only valid during the call: the next read
   * overwrites them. Readers keep a view per Buffer object, so the same one is handed in each time.
   */
  handleBytes(bytes: Buffer, length: number): void
  /** The bytes of a `write` that returned false have left; their memory may be reused. */
  handleWritten(): void
  /** `cause` is null if the peer ended the connection in an orderly way. */
  handleClosed(cause: unknown): void
}

export interface Transport {
  /**
   * Sends `parts` one behind the other. One write is outstanding at most.
   *
   * @returns true if their memory may be reused at once, false if only after `handleWritten`.
   */
  write(parts: readonly Uint8Array[]): boolean
  /** Ends the connection at once. The link is told nothing more. */
  destroy(): void
}
