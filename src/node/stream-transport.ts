import { type Duplex } from 'node:stream'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type Link, type Target, type Transport } from '../session/runtime.ts'
import { dialTls } from './dial-tls.ts'
import { failureOf, type Progress } from './tls-failure.ts'

/** Opens a stream to a host. `signal` is aborted when nobody wants it any more. */
export type Dial = (request: {
  readonly host: string
  readonly port: number
  readonly signal: AbortSignal
}) => Duplex | Promise<Duplex>

/** A connection over a stream that somebody else opens. TLS is spoken inside of it. */
export class StreamTransport implements Transport {
  readonly #target: Target
  readonly #giveUp = new AbortController()
  #link: Link | null
  /** What was dialled, and what is spoken to: with TLS they differ. */
  #dialled: Duplex | null = null
  #stream: Duplex | null = null
  #progress: Progress = 'dialled'
  #cause: Error | null = null
  #isAwaitingDrain = false

  constructor(target: Target, link: Link, dial: Dial) {
    this.#target = target
    this.#link = link
    this.#open(dial).catch((error: unknown) => {
      this.#close(error)
    })
  }

  /** What is written is copied: a stream in memory may pass on the very bytes that it was given. */
  write(parts: readonly Uint8Array[]): boolean {
    this.#isAwaitingDrain = !this.#stream!.write(Buffer.concat(parts))
    return !this.#isAwaitingDrain
  }

  destroy(): void {
    this.#link = null
    this.#giveUp.abort()
    this.#stream?.destroy()
    this.#dialled?.destroy()
  }

  async #open(dial: Dial): Promise<void> {
    const { address: host, port, tls } = this.#target
    const dialled = streamOf(await dial({ host, port, signal: this.#giveUp.signal }))
    this.#dialled = dialled
    dialled.on('error', this.#onError)
    if (this.#link === null) {
      dialled.destroy() // too late
      return
    }
    this.#progress = 'reached'
    if (tls === null) {
      this.#attach(dialled)
      this.#onOpen()
    } else {
      const stream = dialTls(this.#target, tls, { socket: dialled })
      this.#attach(stream.on('error', this.#onError).on('secureConnect', this.#onOpen))
    }
  }

  /** `readable` is told in a turn of its own, so that a stream that answers at once does no harm. */
  #attach(stream: Duplex): void {
    this.#stream = stream
    stream.on('readable', this.#onReadable)
    stream.on('drain', this.#onDrain)
    stream.on('end', this.#onEnd)
    stream.on('close', this.#onEnd)
  }

  #close(cause: unknown): void {
    const link = this.#link
    this.destroy()
    link?.handleClosed(cause)
  }

  /** Not at once either: it may be told while it is written to, and before the reason for it. */
  #closeSoon(cause: Error | null): void {
    this.#cause ??= cause
    setImmediate(() => {
      this.#close(failureOf(this.#target, this.#cause, this.#progress))
    })
  }

  readonly #onOpen = (): void => {
    this.#progress = 'open'
    this.#link?.handleOpened()
  }

  readonly #onReadable = (): void => {
    while (this.#link !== null) {
      const bytes = this.#stream!.read() as Buffer | null
      if (bytes === null) return
      this.#progress = 'heard'
      this.#link.handleBytes(bytes, bytes.length)
    }
  }

  readonly #onDrain = (): void => {
    if (!this.#isAwaitingDrain) return
    this.#isAwaitingDrain = false
    this.#link?.handleWritten()
  }

  readonly #onError = (error: Error): void => {
    this.#closeSoon(error)
  }

  /** A peer that says no more is of no use, even if it would still listen. */
  readonly #onEnd = (): void => {
    this.#closeSoon(null)
  }
}

/** Throws for what is not a stream of bytes that is open both ways. */
function streamOf(given: unknown): Duplex {
  if (!isDuplex(given) || given.readableObjectMode || given.readableEncoding !== null) {
    const detail = 'dial did not give a stream.Duplex of bytes'
    throw new ZooKeeperError('BAD_ARGUMENTS', { detail })
  }
  if (given.readable && given.writable) return given
  given.on('error', () => undefined).destroy()
  const detail = 'dial gave a stream that has ended'
  throw new ZooKeeperError('CONNECTION_LOSS', { detail, cause: given.errored })
}

/** By what it can do: packages bring streams of their own. */
function isDuplex(given: unknown): given is Duplex {
  if (typeof given !== 'object' || given === null) return false
  const methods = ['read', 'write', 'destroy', 'on'] as const
  return methods.every((name) => name in given && typeof Reflect.get(given, name) === 'function')
}
