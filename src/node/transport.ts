import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net'
import { type Link, type Target, type Transport } from '../session/runtime.ts'
import { dialTls } from './dial-tls.ts'
import { failureOf, type Progress } from './tls-failure.ts'

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
  #progress: Progress = 'dialled'
  #isAwaitingFlush = false

  /** @param holdsProcess whether the process goes on for as long as it is open. */
  constructor(target: Target, link: Link, holdsProcess = true) {
    this.#target = target
    this.#link = link
    const onread: OnReadOpts = { buffer: readBuffer, callback: this.#onRead }
    if (target.tls === null) {
      const { address: host, port } = target
      this.#socket = connectTcp({ host, port, noDelay: true, onread })
      this.#socket.on('connect', this.#onOpen)
    } else {
      this.#socket = dialTls(target, target.tls, { onread }).setNoDelay(true)
      this.#socket.on('connect', this.#onReached)
      this.#socket.on('secureConnect', this.#onOpen)
    }
    this.#socket.on('error', this.#onError)
    this.#socket.on('end', this.#onEnd)
    this.#socket.on('close', this.#onClose)
    if (!holdsProcess) this.#socket.unref()
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
    this.#link?.handleClosed(failureOf(this.#target, this.#cause, this.#progress))
    this.#link = null
  }
}
