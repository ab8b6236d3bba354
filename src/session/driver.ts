/**
 * Moves bytes and time between one session and a runtime. It decides nothing: after every input it
 * goes through the same short list, in the same order.
 */
import { type Access, freeAccess, renewalsOf } from './access.ts'
import { type DialTarget } from './hosts.ts'
import { Question } from './question.ts'
import { type Link, type Runtime, type Target, type Timer, type Transport } from './runtime.ts'
import { type SaslChallenge, type SaslLogin } from './sasl.ts'
import { type Session } from './session.ts'
import { targetsOf } from './target.ts'

/** A server that is asked whether it can write has so long to answer, as in Java's client. */
const probeWithinMs = 1_000

export class Driver {
  readonly #session: Session
  readonly #runtime: Runtime
  readonly #access: Access
  /** The present link, from the dial on; what an earlier one still tells is ignored. */
  #link: DriverLink | null = null
  #question: Question | null = null
  #timer: Timer | null = null
  #timerAtMs = Infinity
  #isDeferred = false

  constructor(session: Session, runtime: Runtime, access: Access = freeAccess) {
    this.#session = session
    this.#runtime = runtime
    this.#access = access
  }

  /** Asks for one pass when the present turn is over, however often it is asked. */
  wake(): void {
    if (this.#isDeferred) return
    this.#isDeferred = true
    this.#runtime.defer(this.#driveDeferred)
  }

  /** One pass: what the session wants done, done. */
  drive(): void {
    this.#drop()
    const nowMs = this.#runtime.nowMs()
    this.#dial(nowMs)
    this.#probe(nowMs)
    this.#authenticate()
    this.#write()
    this.#arm()
  }

  readonly #driveDeferred = () => {
    this.#isDeferred = false
    this.drive()
  }

  #drop(): void {
    if (!this.#session.takeDrop()) return
    this.#link?.destroy()
    this.#link = null
  }

  #dial(nowMs: number): void {
    const target = this.#session.takeDial(nowMs)
    if (target === null) return
    const link = new DriverLink(this, this.#session, this.#runtime)
    this.#link = link
    link.dial(target, this.#access)
  }

  #authenticate(): void {
    const challenge = this.#session.takeChallenge()
    if (challenge !== null) this.#link!.answer(challenge)
  }

  /** Asks beside the link, which serves reads meanwhile. */
  #probe(nowMs: number): void {
    if (this.#question !== null && !this.#session.isProbing) this.#forgetQuestion()
    const target = this.#session.takeProbe(nowMs)
    if (target === null) return
    this.#forgetQuestion()
    this.#question = new Question(this.#runtime, 'isro', probeWithinMs, (answer) => {
      this.#question = null
      this.#session.handleProbe(this.#runtime.nowMs(), target.host, answer === 'rw')
      this.drive()
    })
    this.#question.ask(target, this.#access.tls)
  }

  #forgetQuestion(): void {
    this.#question?.cancel()
    this.#question = null
  }

  #write(): void {
    while (this.#link?.isWritable === true) {
      const parts = this.#session.takeOutput(this.#runtime.nowMs())
      if (parts.length === 0) return
      this.#link.write(parts)
    }
  }

  /** Early calls are harmless, so a timer is only replaced by an earlier one, or by none. */
  #arm(): void {
    const atMs = this.#session.nextDeadlineMs
    if (atMs >= this.#timerAtMs && atMs !== Infinity) return
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    if (atMs === Infinity) return
    const dueMs = Math.max(atMs, this.#runtime.nowMs())
    this.#timer = this.#runtime.timer(atMs, () => {
      this.#timerAtMs = Infinity
      this.#session.handleDeadline(this.#runtime.nowMs(), dueMs)
      this.drive()
    })
  }

  isPresent(link: DriverLink): boolean {
    return this.#link === link
  }

  forget(): void {
    this.#link = null
  }
}

/** One connection, from the look-up of its address to its end. */
class DriverLink implements Link {
  /** Whether the session may be asked for output: open, and no write outstanding. */
  isWritable = false
  #transport: Transport | null = null
  /** Further addresses of the host; none once one of them has opened. */
  #others: readonly Target[] = []
  #login: SaslLogin | null = null
  readonly #driver: Driver
  readonly #session: Session
  readonly #runtime: Runtime

  constructor(driver: Driver, session: Session, runtime: Runtime) {
    this.#driver = driver
    this.#session = session
    this.#runtime = runtime
  }

  dial(host: DialTarget, access: Access): void {
    this.#open(host, access).catch((error: unknown) => {
      this.handleClosed(error) // whatever a resolver, a provider or a socket throws: this attempt
    })
  }

  async #open(host: DialTarget, { tls, sasl }: Access): Promise<void> {
    const [target, ...others] = await targetsOf(this.#runtime, host, tls)
    const renew = await renewalsOf(this.#session.credentials)
    const login = sasl === null ? null : await sasl(host.host)
    if (!this.#driver.isPresent(this)) return
    renew()
    this.#login = login
    this.#others = others
    this.#transport = this.#runtime.dial(target, this)
  }

  #tryNext([target, ...others]: readonly [Target, ...Target[]]): void {
    this.#others = others
    try {
      this.#transport = this.#runtime.dial(target, this)
    } catch (error) {
      this.handleClosed(error)
    }
  }

  /** Lets the SASL mechanism answer. What it throws costs the connection. */
  answer({ token }: SaslChallenge): void {
    this.#evaluate(token).catch((error: unknown) => {
      this.destroy()
      this.handleClosed(error)
    })
  }

  async #evaluate(challenge: Uint8Array | null): Promise<void> {
    const answer = await this.#login!.exchange.evaluate(challenge)
    if (!this.#driver.isPresent(this)) return
    this.#session.handleSaslAnswer(this.#runtime.nowMs(), answer)
    this.#driver.drive()
  }

  write(parts: readonly Uint8Array[]): void {
    if (this.#transport!.write(parts)) this.#session.handleWritten()
    else this.isWritable = false
  }

  destroy(): void {
    this.#transport?.destroy()
  }

  handleOpened(): void {
    if (!this.#driver.isPresent(this)) return
    this.isWritable = true
    this.#others = []
    this.#session.handleOpened(this.#login)
    this.#driver.drive()
  }

  handleBytes(bytes: Buffer, length: number): void {
    this.#runtime.settleLeases() // user code runs, which may end this link
    if (!this.#driver.isPresent(this)) return
    try {
      this.#session.handleBytes(this.#runtime.nowMs(), bytes, length)
    } catch (error) {
      // A bad frame costs its connection, never the process.
      this.destroy()
      this.handleClosed(error)
      return
    }
    this.#driver.drive()
  }

  handleWritten(): void {
    if (!this.#driver.isPresent(this)) return
    this.isWritable = true
    this.#session.handleWritten()
    this.#driver.drive()
  }

  handleClosed(cause: unknown): void {
    if (!this.#driver.isPresent(this)) return
    const [target, ...others] = this.#others
    if (target !== undefined) {
      this.#tryNext([target, ...others])
      return
    }
    this.#driver.forget()
    this.#session.handleClosed(this.#runtime.nowMs(), cause)
    this.#driver.drive()
  }
}
