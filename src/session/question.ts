/**
 * A question of four letters (`isro`, `ruok` …) on a connection of its own, which ends with the answer.
 * It is told once: the whole answer, or null if there was none in time.
 */
import { type DialTarget } from './hosts.ts'
import { type Link, type Runtime, type Timer, type Transport } from './runtime.ts'
import { targetsOf, type TlsProvider } from './target.ts'

/** Longer answers are cut. */
const answerBytesMax = 64 * 1024

export class Question implements Link {
  readonly #runtime: Runtime
  readonly #word: string
  readonly #answered: (answer: string | null) => void
  readonly #timer: Timer
  #transport: Transport | null = null
  #answer = ''
  #isOver = false

  constructor(
    runtime: Runtime,
    word: string,
    withinMs: number,
    answered: (answer: string | null) => void,
  ) {
    this.#runtime = runtime
    this.#word = word
    this.#answered = answered
    this.#timer = runtime.timer(runtime.nowMs() + withinMs, () => {
      this.#end(null)
    })
  }

  ask(host: DialTarget, tls: TlsProvider | null): void {
    this.#open(host, tls).catch(() => {
      this.#end(null)
    })
  }

  /** Nobody wants to know any more. */
  cancel(): void {
    this.#isOver = true
    this.#timer.cancel()
    this.#transport?.destroy()
  }

  async #open(host: DialTarget, tls: TlsProvider | null): Promise<void> {
    const [target] = await targetsOf(this.#runtime, host, tls)
    if (!this.#isOver) this.#transport = this.#runtime.dial(target, this)
  }

  handleOpened(): void {
    this.#transport!.write([Buffer.from(this.#word, 'latin1')])
  }

  handleBytes(bytes: Buffer, length: number): void {
    this.#answer += bytes.toString('utf8', 0, length)
    if (this.#answer.length > answerBytesMax) this.#end(this.#answer)
  }

  handleWritten(): void {
    // Four bytes are gone at once.
  }

  /** Servers close the connection behind their answer. */
  handleClosed(): void {
    this.#end(this.#answer === '' ? null : this.#answer)
  }

  #end(answer: string | null): void {
    if (this.#isOver) return
    this.cancel()
    this.#answered(answer)
  }
}
