/** A whole server without sockets: state, the rules that change it, and the timers they need. */
import { type handshake, operationByCode, type Reader, type records } from '../protocol/index.ts'
import { Cable } from './cable.ts'
import { type Timer } from './clock.ts'
import { type FaultPlan } from './fault-plan.ts'
import { Faults } from './faults.ts'
import { answerWord } from './four-letter-words.ts'
import { answerHandshake } from './handshake.ts'
import { copyOf, Link, type LinkHost, type Packets, type Wire } from './link.ts'
import { type OperationLog } from './operation-log.ts'
import { type Scope } from './oracle.ts'
import { processRequest, refuseRequest } from './processor.ts'
import { type Profile } from './profile.ts'
import { type RequestView, viewOf, viewWithout } from './request-view.ts'
import { ServerState, type StateOptions } from './state.ts'
import { type Errand, strike, strikeLink } from './strike.ts'

export interface KeeperOptions extends StateOptions {
  /** Faults that strike here, too, behind those of its own. */
  readonly faults?: Faults | undefined
  /** How often abandoned containers and outdated TTL znodes are looked for. */
  readonly sweepIntervalMs: number
}

export class Keeper implements LinkHost, Scope {
  readonly state: ServerState
  readonly faults = new Faults()
  readonly #options: KeeperOptions
  readonly #cables = new Map<Link, Cable>()
  readonly #delays = new Set<Timer>()
  #sweepTimer: Timer | null = null
  #isPaused = false

  constructor(options: KeeperOptions, state = new ServerState(options)) {
    this.#options = options
    this.state = state
  }

  get profile(): Profile {
    return this.state.options.profile
  }

  get states(): readonly ServerState[] {
    return [this.state]
  }

  get log(): OperationLog {
    return this.state.log
  }

  get lastZxid(): bigint {
    return this.state.lastZxid
  }

  /** A connection has come in. */
  accept(wire: Wire): Cable {
    const cable = new Cable(wire, this.#options.clock, (shaped) => new Link(shaped, this))
    this.#cables.set(cable.link, cable)
    const fault = this.#strike(viewWithout(0n, 'accept'))
    if (fault !== null) strikeLink(fault, cable)
    this.state.changes.note()
    return cable
  }

  /** Resets all connections. Sessions, znodes and the log stay. */
  cut(): void {
    for (const cable of [...this.#cables.values()]) cable.reset()
  }

  /** Closes all connections, behind what was sent. */
  closeAll(): void {
    for (const link of [...this.#cables.keys()]) link.close()
  }

  /** Resets the connection of a session, if it has one. */
  cutSession(sessionId: bigint): void {
    const link = this.state.linkOf.get(sessionId)
    if (link !== undefined) this.#cables.get(link)?.reset()
  }

  /** Stops time: no session expires and nothing is swept until {@link resume}. */
  pause(): void {
    this.#isPaused = true
    this.cut()
    for (const timer of this.#delays) timer.cancel()
    this.#delays.clear()
    this.state.sessions.pause()
    this.#sweepTimer?.cancel()
    this.#sweepTimer = null
  }

  /** Loses its quorum, or finds it again: all connections end. No session expires in between. */
  setReadOnly(isReadOnly: boolean): void {
    if (this.state.isReadOnly === isReadOnly) return
    this.cut()
    this.state.setReadOnly(isReadOnly)
    if (isReadOnly) this.state.sessions.pause()
    else this.state.sessions.unpause()
  }

  /** Begins anew, without data and sessions, as after the loss of a disk. */
  wipe(): void {
    this.pause()
    this.state.wipe()
    this.resume()
    this.state.changes.note()
  }

  resume(): void {
    this.#isPaused = false
    this.state.sessions.unpause()
    this.armSweep()
  }

  /** A timer runs only while there is something it could remove. */
  armSweep(): void {
    if (this.#isPaused || this.#sweepTimer !== null || !this.state.tree.hasRemovable) return
    const { clock, sweepIntervalMs } = this.#options
    this.#sweepTimer = clock.timer(clock.nowMs() + sweepIntervalMs, () => {
      this.#sweepTimer = null
      this.state.sweep()
      this.armSweep()
    })
  }

  get packets(): Packets {
    return this.state.packets
  }

  handleWord(word: string, link: Link): string | null {
    return answerWord(this.state, word, link)
  }

  handleHandshake(link: Link, request: handshake.ConnectRequest): void {
    if (!this.state.isServing) return link.close()
    this.#meet(link, {
      request: viewWithout(request.sessionId, 'handshake'),
      carryOut: () => {
        if (!link.isClosed) this.#shakeHands(link, request)
        this.state.changes.note()
      },
      refuse: () => link.close(), // it has no error to answer
      lose: () => undefined,
    })
  }

  /** What a client sends before it has an answer, a server does not even read. */
  #shakeHands(link: Link, request: handshake.ConnectRequest): void {
    const goOn = this.#cableOf(link).stall()
    answerHandshake(this.state, link, request, () => goOn())
  }

  handleRequest(link: Link, header: records.RequestHeader, body: Reader): void {
    if (this.#isCalm(link)) return this.#carryOut(link, header, body)
    const kept = copyOf(body) // it may have to wait
    const request = viewOf(link.sessionId, header, copyOf(body))
    this.#meet(link, {
      request,
      carryOut: () => this.#carryOut(link, header, kept),
      refuse: (err) => refuseRequest(this.state, link, header.xid, request, err),
      lose: () => link.forget(header),
    })
  }

  handleClosed(link: Link): void {
    this.#cables.delete(link)
    this.state.forget(link)
  }

  /** Whether nothing can go wrong with a request that comes in now. */
  #isCalm(link: Link): boolean {
    const isFaultless = this.faults.isEmpty && (this.#options.faults?.isEmpty ?? true)
    return isFaultless && !this.#cableOf(link).isStalled
  }

  #strike(request: RequestView): FaultPlan | null {
    return this.faults.strike(request) ?? this.#options.faults?.strike(request) ?? null
  }

  #cableOf(link: Link): Cable {
    const cable = this.#cables.get(link)
    if (cable === undefined) throw new Error('a link without a cable')
    return cable
  }

  /** Lets a fault strike, or the request happen. */
  #meet(link: Link, errand: Errand): void {
    const cable = this.#cableOf(link)
    cable.inTurn(() => {
      const fault = this.#strike(errand.request)
      this.state.changes.note()
      if (fault === null) errand.carryOut()
      else strike(fault, { ...errand, cable, state: this.state, later: this.#later })
    })
  }

  /** A write that came in is carried out even if its connection has gone meanwhile. */
  #carryOut(link: Link, header: records.RequestHeader, body: Reader): void {
    if (link.isClosed && !this.#isStillWanted(link, header)) return
    processRequest(this.state, link, header, body)
    this.state.changes.note() // it may have to wait for its answer
    this.armSweep()
  }

  #isStillWanted({ session }: Link, { type }: records.RequestHeader): boolean {
    if (session === null || !this.state.hasSession(session.id)) return false
    return operationByCode.get(type)?.effect === 'write'
  }

  readonly #later = (ms: number, run: () => void): void => {
    const { clock } = this.#options
    const timer = clock.timer(clock.nowMs() + ms, () => {
      this.#delays.delete(timer)
      run()
    })
    this.#delays.add(timer)
  }
}
