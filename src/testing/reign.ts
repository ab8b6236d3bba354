/**
 * One leader with those who follow it, from its election on until it is gone: it decides, all write down
 * what it has decided, and what a majority has written down has happened.
 *
 * Source: `Leader`, `LearnerHandler`, `LeaderSessionTracker`.
 */
import { type Clock } from './clock.ts'
import { Head } from './head.ts'
import { type Link } from './link.ts'
import { type Notebook } from './notebook.ts'
import { type Authority, waitForEver } from './peers.ts'
import { refuse } from './refusal.ts'
import { type Replica } from './replica.ts'
import { type Transaction } from './transaction.ts'
import { voterIdsOf, Voters } from './voters.ts'
import { type Write } from './write.ts'

export interface ReignOptions {
  readonly clock: Clock
  readonly voters: Voters
  readonly notebook: Notebook
  /** Called when a majority has something, or may have it. */
  readonly onCommitted: () => void
}

interface Reconfig {
  readonly zxid: bigint
  /** Who votes behind it. */
  readonly voters: Voters
}

export class Reign implements Authority {
  readonly leader: Replica
  readonly #options: ReignOptions
  readonly #head: Head
  /** The leader, and whoever follows it. */
  #together: readonly Replica[]
  /** The one that is on its way: there is never another. */
  #reconfig: Reconfig | null = null
  /** Where the client of a session is, as far as the leader knows. */
  readonly #owners = new Map<bigint, Replica>()

  /** `leader` shows all that it has written down: now that has happened, whoever else knows of it. */
  constructor(leader: Replica, epoch: bigint, options: ReignOptions) {
    this.#options = options
    this.leader = leader
    leader.lead(epoch)
    leader.serve()
    this.#together = [leader]
    this.#head = new Head(leader.state, epoch)
    options.notebook.writeUpTo(leader.state.lastZxid)
    options.notebook.clear()
  }

  get together(): readonly Replica[] {
    return this.#together
  }

  /** What all its transactions are greater than. */
  get firstZxid(): bigint {
    return this.#head.firstZxid
  }

  /** Begins to follow, with all that the leader knows. */
  join(replica: Replica): void {
    replica.leave()
    replica.follow(this.leader)
    replica.serve()
    this.#together = [...this.#together, replica]
  }

  /** Those who are not among these follow no more. */
  keepOnly(able: readonly Replica[]): void {
    this.#together = this.#together.filter((replica) => able.includes(replica))
  }

  /** Whether a majority of these servers is together. One that lags behind counts: it is connected. */
  hasQuorumOf(ids: readonly number[]): boolean {
    return 2 * this.#together.filter(({ id }) => ids.includes(id)).length > ids.length
  }

  get isReconfiguring(): boolean {
    return this.#reconfig !== null
  }

  /** What a majority has written down, has happened. */
  commit(): void {
    const zxid = this.#agreedZxid()
    if (this.#reconfig !== null && zxid >= this.#reconfig.zxid) this.#reconfig = null
    this.#options.notebook.writeUpTo(zxid)
    for (const replica of this.#together) replica.commit(zxid)
    this.#options.onCommitted()
  }

  /** To a reconfiguration, and what comes behind it, also a majority of those who will vote has to agree. */
  #agreedZxid(): bigint {
    const zxid = this.#options.voters.lastZxidOfMajority(this.#together)
    if (this.#reconfig === null || zxid < this.#reconfig.zxid) return zxid
    const nextZxid = this.#reconfig.voters.lastZxidOfMajority(this.#together)
    if (nextZxid < this.#reconfig.zxid) return this.#reconfig.zxid - 1n
    return zxid < nextZxid ? zxid : nextZxid
  }

  decide<T>(origin: Replica, write: Write<T>): void {
    const { link } = write
    if (this.#isOver(link)) return waitForEver(origin, link)
    const hasMoved = write.isAnybodys !== true && this.#hasMoved(origin, link)
    const { outcome, transaction } = this.#head.decide(
      hasMoved ? { ...write, change: () => refuse('SESSION_MOVED') } : write,
      this.#options.clock.wallMs(),
    )
    const { zxid } = transaction.stamp
    this.#reconfig ??= reconfigIn(transaction)
    const { answers, log } = origin.state
    answers.add(link, zxid, () => write.answer(outcome))
    this.#options.notebook.add(zxid, () => log.push(write.entry(outcome, zxid)))
    for (const replica of this.#together) replica.receive(transaction)
    this.commit()
  }

  catchUp(origin: Replica, link: Link, answer: () => void): void {
    const { answers, lastZxid } = origin.state
    const run = this.#hasMoved(origin, link) ? () => link.close() : answer
    if (this.#head.lastZxid <= lastZxid && !answers.has(link)) run()
    else answers.add(link, this.#head.lastZxid, run)
  }

  hasSession(_origin: Replica, id: bigint): boolean {
    return this.#head.hasSession(id)
  }

  touch(id: bigint): void {
    const session = this.#sessionOf(id)
    if (session !== undefined) this.leader.state.sessions.touch(session)
  }

  resumeSession(
    origin: Replica,
    id: bigint,
    timeoutMsWanted: number,
    _link: Link,
    answer: (timeoutMs: number | null) => void,
  ): void {
    const session = this.#sessionOf(id)
    if (session === undefined) return answer(null)
    this.#owners.set(id, origin)
    this.leader.state.sessions.renew(session, timeoutMsWanted)
    answer(session.timeoutMs)
  }

  /** Undefined of one that is over, or is not known to a majority yet. */
  #sessionOf(id: bigint) {
    return this.#head.hasSession(id) ? this.leader.state.sessions.get(id) : undefined
  }

  /** The connection of a session that has ended is closed when its member hears of that. */
  #isOver(link: Link | null): boolean {
    return link !== null && link.session !== null && !this.#head.hasSession(link.sessionId)
  }

  /** Whoever asks first for a session has it, until it is resumed elsewhere. */
  #hasMoved(origin: Replica, link: Link | null): boolean {
    if (link === null || link.session === null) return false
    const owner = this.#owners.get(link.sessionId)
    if (owner === undefined) this.#owners.set(link.sessionId, origin)
    return owner !== undefined && owner !== origin
  }
}

function reconfigIn({ stamp, mutations }: Transaction): Reconfig | null {
  const mutation = mutations.find((one) => one.do === 'setConfig')
  if (mutation === undefined) return null
  return { zxid: stamp.zxid, voters: new Voters(voterIdsOf(mutation.text)) }
}
