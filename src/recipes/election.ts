import { type ACL, type CallOptions, isZooKeeperError, type ZooKeeper } from '../client/index.ts'
import { validatePath } from '../client/path-check.ts'
import { createContainers } from './containers.ts'
import { contendersOf, type Line } from './contender.ts'
import { type Lease } from './lease.ts'
import { waitForLease } from './line.ts'
import { patient, within } from './patience.ts'

/** Who stands for election. */
export interface ElectionOptions {
  /** Who we are, for those who ask for the leader. Default: empty. */
  readonly id?: string
  /** For every znode that is made, parents too. Default: the client's. */
  readonly acl?: readonly ACL[]
}

/** Who leads, as others see it. */
export interface Leader {
  readonly id: string
  /** The leader's fencing token. */
  readonly token: bigint
  /** The leader's znode. */
  readonly path: string
}

/**
 * An election: one of all candidates leads, until it resigns or is lost; then the next one in line.
 * The znodes are those of Curator's `LeaderLatch`.
 *
 * @example
 * const election = new Election(zk, '/leader', { id: hostname() })
 * for await (const term of election.campaign({ signal })) {
 *   await lead(term.signal, term.fencingToken) // until it returns, or the term's signal fires
 * }
 */
export class Election {
  readonly #zk: ZooKeeper
  readonly #line: Line
  #term: Lease | null = null

  constructor(zk: ZooKeeper, path: string, { id = '', acl }: ElectionOptions = {}) {
    validatePath(path)
    this.#zk = zk
    this.#line = { path, label: 'latch-', data: id, acl }
  }

  /**
   * Stands for election again and again, and yields each term that is won. A term ends when the loop
   * asks for the next one, by `resign()`, or by itself; its `signal` says so. Leaving the loop ends the
   * candidacy. An abort makes it throw `ABORTED`.
   */
  async *campaign(options: CallOptions = {}): AsyncGenerator<Lease, undefined> {
    for (;;) {
      const term = await within(this.#zk, options, (signal) => {
        return waitForLease(this.#zk, this.#line, signal)
      })
      this.#term = term
      try {
        yield term
      } finally {
        this.#term = null
        await term.release()
      }
    }
  }

  /** Ends the present term, if there is one; the campaign goes on at the end of the line. */
  async resign(): Promise<void> {
    await this.#term?.release()
  }

  /** Whether this candidate leads now, by the clock. */
  get isLeader(): boolean {
    return this.#term?.isHeld === true
  }

  /** Who leads now, as the servers see it; null if nobody stands for election. */
  async leader(options?: CallOptions): Promise<Leader | null> {
    for (;;) {
      const path = await this.#first(options)
      if (path === null) return null
      try {
        const { data, stat } = await this.#zk.getData(path, options)
        return { id: data?.toString('utf8') ?? '', token: stat.czxid, path }
      } catch (error) {
        if (!isZooKeeperError(error, 'NO_NODE')) throw error // gone between the two looks
      }
    }
  }

  /**
   * Who leads now, and then each new leader; null while there is none. It survives reconnects; an abort
   * makes it throw `ABORTED`. Needs servers of 3.6 or later; else it throws `UNIMPLEMENTED`.
   */
  async *observe(
    options: Pick<CallOptions, 'signal'> = {},
  ): AsyncGenerator<Leader | null, undefined> {
    const waiting = patient(options.signal)
    const { path, acl } = this.#line
    await createContainers(this.#zk, path, acl, options.signal)
    const watch = this.#zk.watch(path, waiting)
    try {
      await watch.ready
      let told: bigint | null | undefined
      for (;;) {
        watch.drain()
        const leader = await this.leader(waiting)
        const token = leader?.token ?? null
        if (token !== told) yield leader
        told = token
        const { done } = await watch.next()
        if (done === true) return undefined
      }
    } finally {
      await watch.return()
    }
  }

  async #first(options: CallOptions | undefined): Promise<string | null> {
    try {
      const [first = null] = await contendersOf(this.#zk, this.#line, options?.signal)
      return first
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) return null
      throw error
    }
  }
}
