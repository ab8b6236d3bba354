import { connect, type Socket } from 'node:net'
import { type Link, type Target, type Transport } from '../session/runtime.ts'

/**
 * One read buffer for all connections of the process: a frame is decoded before the next read, so
 * nothing needs to survive it, and a thousand idle sessions hold no memory for reading.
 */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

/** A TCP connection. */
export class TcpTransport implements Transport {
  readonly #socket: Socket
  #link: Link | null
  #cause: unknown = null
  #isAwaitingFlush = false

  constructor({ address, port }: Target, link: Link) {
    this.#link = link
    this.#socket = connect({
      host: address,
      port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: this.#onRead },
    })
    this.#socket.on('connect', this.#onConnect)
    this.#socket.on('error', this.#onError)
    this.#socket.on('end', this.#onEnd)
    this.#socket.on('close', this.#onClose)
  }

  write(parts: readonly Uint8Array[]): boolean {
    const socket = this.#socket
    if (parts.length > 1) socket.cork()
    for (const part of parts) socket.write(part, this.#onFlushed)
    if (parts.length > 1) socket.uncork()
    // The kernel mostly takes everything at once; then the memory is free again already.
    this.#isAwaitingFlush = socket.writableLength > 0
    return !this.#isAwaitingFlush
  }

  destroy(): void {
    this.#link = null
    this.#socket.destroy()
  }

  readonly #onRead = (length: number): boolean => {
    this.#link?.handleBytes(readBuffer, length)
    return true
  }

  readonly #onFlushed = (): void => {
    if (!this.#isAwaitingFlush || this.#socket.writableLength > 0) return
    this.#isAwaitingFlush = false
    this.#link?.handleWritten()
  }

  readonly #onConnect = (): void => {
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
    this.#link?.handleClosed(this.#cause)
    this.#link = null
  }
}
