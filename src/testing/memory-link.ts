/** A connection without a network. */
import { Duplex } from 'node:stream'

/** Two ends: what is written to one is read from the other, in a later turn, as with sockets. */
export function memoryLink(): readonly [MemoryEnd, MemoryEnd] {
  const ends = [new MemoryEnd(), new MemoryEnd()] as const
  ends[0].peer = ends[1]
  ends[1].peer = ends[0]
  return ends
}

export class MemoryEnd extends Duplex {
  peer!: MemoryEnd
  /** Lets the peer write on, once something was read here. */
  #resumePeer: (() => void) | null = null
  #hasHeardAll = false
  #isReset = false

  constructor() {
    super({ allowHalfOpen: false })
  }

  /** Closes at once, so that the other end sees a reset. */
  reset(): void {
    this.#isReset = true
    this.destroy()
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, written: () => void): void {
    setImmediate(() => this.peer.#take(bytes, written))
  }

  override _read(): void {
    const resume = this.#resumePeer
    this.#resumePeer = null
    resume?.()
  }

  override _final(done: () => void): void {
    setImmediate(() => {
      this.peer.#hearNoMore()
      done()
    })
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this._read()
    setImmediate(() => {
      if (this.#isReset || error !== null) this.peer.destroy(connectionError('ECONNRESET'))
      else this.peer.#hearNoMore()
    })
    done(error)
  }

  #take(bytes: Buffer, written: () => void): void {
    if (this.destroyed || this.push(bytes)) written()
    else this.#resumePeer = written
  }

  #hearNoMore(): void {
    if (this.#hasHeardAll || this.destroyed) return
    this.#hasHeardAll = true
    this.push(null)
  }
}

/** As Node tells what the network did. */
export function connectionError(code: 'ECONNREFUSED' | 'ECONNRESET'): Error {
  return Object.assign(new Error(code), { code })
}
