import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net'
import {
  connect as connectTls,
  type ConnectionOptions,
  createSecureContext,
  type TLSSocket,
} from 'node:tls'
import { formatHost } from '../protocol/connect-string.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type Link, type Target, type TlsSettings, type Transport } from '../session/runtime.ts'
import { isTlsAlert, tlsFailure } from './tls-failure.ts'

/**
 * One read buffer for all connections of the process: a frame is decoded before the next read, so
 * nothing needs to survive it, and a thousand idle sessions hold no memory for reading.
 */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

/** A TCP connection, or a TLS connection over TCP. */
export class SocketTransport implements Transport {
  readonly #target: Target
  readonly #socket: Socket
  #link: Link | null
  #cause: Error | null = null
  /** How far it got; what an error means depends on it. */
  #progress: 'dialled' | 'reached' | 'open' | 'heard' = 'dialled'
  #isAwaitingFlush = false

  constructor(target: Target, link: Link) {
    this.#target = target
    this.#link = link
    const onread: OnReadOpts = { buffer: readBuffer, callback: this.#onRead }
    if (target.tls === null) {
      const { address: host, port } = target
      this.#socket = connectTcp({ host, port, noDelay: true, onread })
      this.#socket.on('connect', this.#onOpen)
    } else {
      this.#socket = dialTls(target, target.tls, onread).setNoDelay(true)
      this.#socket.on('connect', this.#onReached)
      this.#socket.on('secureConnect', this.#onOpen)
    }
    this.#socket.on('error', this.#onError)
    this.#socket.on('end', this.#onEnd)
    this.#socket.on('close', this.#onClose)
  }

  write(parts: readonly Uint8Array[]): boolean {
    const socket = this.#socket
    if (parts.length > 1) socket.cork()
    for (const part of parts) socket.write(part, this.#onFlushed)
    if (parts.length > 1) socket.uncork()
    // The kernel mostly takes everything at once; then the memory is free again already. TLS never
    // does: it calls back when the encrypted bytes have left.
    this.#isAwaitingFlush = socket.writableLength > 0
    return !this.#isAwaitingFlush
  }

  destroy(): void {
    this.#link = null
    this.#socket.destroy()
  }

  readonly #onRead = (length: number): boolean => {
    this.#progress = 'heard'
    this.#link?.handleBytes(readBuffer, length)
    return true
  }

  readonly #onFlushed = (): void => {
    if (!this.#isAwaitingFlush || this.#socket.writableLength > 0) return
    this.#isAwaitingFlush = false
    this.#link?.handleWritten()
  }

  readonly #onReached = (): void => {
    this.#progress = 'reached'
  }

  readonly #onOpen = (): void => {
    this.#progress = 'open'
    this.#link?.handleOpened()
  }

  readonly #onError = (error: Error): void => {
    this.#cause = error
  }

  /** A peer that says no more is of no use, even if it would still listen. */
  readonly #onEnd = (): void => {
    this.#socket.destroy()
  }

  readonly #onClose = (): void => {
    this.#link?.handleClosed(this.#explained(this.#cause))
    this.#link = null
  }

  /** Until a byte was read, an error is about TLS: servers refuse certificates behind the handshake. */
  #explained(cause: Error | null): Error | null {
    if (cause === null || this.#target.tls === null || this.#progress === 'dialled') return cause
    const isAboutTls = this.#progress !== 'heard' || isTlsAlert(cause)
    return isAboutTls ? tlsFailure(this.#target, cause, this.#progress === 'open') : cause
  }
}

/** Throws `BAD_ARGUMENTS` for settings with which no attempt could succeed, such as a broken key. */
export function checkTls(settings: TlsSettings): void {
  try {
    createSecureContext(settings)
  } catch (cause) {
    throw new ZooKeeperError('BAD_ARGUMENTS', { detail: wrongOptions(cause), cause })
  }
}

function dialTls(target: Target, settings: TlsSettings, onread: OnReadOpts): TLSSocket {
  try {
    return connectTls(tlsOptionsOf(target, settings, onread))
  } catch (cause) {
    throw new ZooKeeperError('TLS_FAILED', {
      detail: wrongOptions(cause), // those of a provider, which may tell others at the next attempt
      server: formatHost(target),
      cause,
    })
  }
}

function wrongOptions(cause: unknown): string {
  return `the TLS options are wrong: ${cause instanceof Error ? cause.message : 'unknown'}`
}

/**
 * The user's options under what is ours to decide: where to, verified unless that was switched off by
 * name (never by an environment variable), and under the name that the user configured, whatever
 * address it has. An address is checked against the addresses of the certificate; SNI is for names.
 */
function tlsOptionsOf(
  { address, port, name }: Target,
  settings: TlsSettings,
  onread: OnReadOpts, // documented, but not in Node's types
): ConnectionOptions & { readonly onread: OnReadOpts } {
  const given: ConnectionOptions = settings
  const host = name.replace(/\.$/, '')
  return {
    ...given,
    host: address,
    port,
    path: undefined,
    socket: undefined,
    servername: given.servername ?? (isIP(host) === 0 ? host : ''),
    rejectUnauthorized: given.rejectUnauthorized !== false,
    onread,
  }
}
