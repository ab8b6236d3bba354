import { setTimeout as delay } from 'node:timers/promises'
import { isZooKeeperError, type Outcome, type WatchEvent, type ZooKeeper } from '../../src/index.ts'

/** A write, and what the client told of it. */
export interface Write {
  /** Stands in the data that it writes, and is higher than that of every earlier write. */
  readonly token: string
  readonly outcome: Outcome
  /** `OK`, or the error's. */
  readonly code: string
}

/** A value that the client answered a read with, and the zxid that it said the value is of. */
export interface Answer {
  readonly token: string
  readonly mzxid: bigint
}

export interface LoadReport {
  readonly sessionId: bigint
  readonly writes: readonly Write[]
  readonly reads: {
    readonly answered: number
    readonly failed: number
    /** How many showed the past: a value older than one that this client had been told before. */
    readonly stale: number
    /** The different ones. */
    readonly answers: readonly Answer[]
  }
  /** One-shot watches: how often one was set, and how often a set one was called 0, 1, 2 … times. */
  readonly watches: { readonly set: number; readonly calls: readonly number[] }
}

/** Writes that a worker has unanswered at once. */
const burst = 8
/**
 * Between two bursts, so that the servers have a share of a small machine. They differ between
 * workers: else all would be answered together, and a cut find none halfway through a server.
 */
const pausesMs = [7, 13, 19, 31]

/**
 * Reads, writes and one-shot watches below a znode, in bursts, with a note of what the client told
 * of each. What was true is for a judge to say, who has the transaction log.
 * @example
 * const load = new Load(zk, '/load')
 * await load.untilSettled(500)
 * await server.kill()
 * judge(await load.stop(), await readTransactionLog(server.dataDir))
 */
export class Load {
  readonly #zk: ZooKeeper
  readonly #root: string
  readonly #writes: Write[] = []
  readonly #reads = { answered: 0, failed: 0, stale: 0 }
  readonly #answers = new Map<bigint, string>()
  readonly #watchCalls: number[] = []
  readonly #workers: Promise<void>[]
  #isStopped = false
  #issued = 0
  #newest = 0n
  #waiting: { readonly count: number; readonly resolve: () => void } | null = null

  /** Has its watches and reads on `root/value`, and creates in `root/made`: both must exist. */
  constructor(zk: ZooKeeper, root: string) {
    this.#zk = zk
    this.#root = root
    this.#watch()
    this.#workers = pausesMs.map((pauseMs) => this.#work(pauseMs))
  }

  /** Resolves when so many more writes have settled, with some others just sent. */
  untilSettled(more: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { count: this.#writes.length + more, resolve }
    })
  }

  /** Lets every call settle, and every watch fire. */
  async stop(): Promise<LoadReport> {
    this.#isStopped = true
    await Promise.all(this.#workers)
    await this.#fireLastWatch()
    return {
      sessionId: this.#zk.session.id,
      writes: this.#writes,
      reads: { ...this.#reads, answers: [...this.#answers].map(answerOf) },
      watches: { set: this.#watchCalls.length, calls: histogram(this.#watchCalls) },
    }
  }

  async #fireLastWatch(): Promise<void> {
    await this.#zk.setData(`${this.#root}/value`, 'last')
    await this.#zk.sync() // its answer comes behind the event
  }

  async #work(pauseMs: number): Promise<void> {
    while (!this.#isStopped) {
      const settled: Promise<void>[] = []
      for (let i = 0; i < burst; i++) settled.push(this.#write(), this.#read())
      this.#tellWhoeverWaits()
      await Promise.all(settled)
      await delay(pauseMs)
    }
  }

  #tellWhoeverWaits(): void {
    if (this.#waiting === null || this.#writes.length < this.#waiting.count) return
    this.#waiting.resolve()
    this.#waiting = null
  }

  async #write(): Promise<void> {
    const number = this.#issued++
    const token = String(number).padStart(8, '0')
    try {
      await this.#send(number, token)
      this.#writes.push({ token, outcome: 'applied', code: 'OK' })
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
      this.#writes.push({ token, outcome: error.outcome, code: error.code })
    }
  }

  /** Writes that are seen to have been done twice, if they were; and one that is always refused. */
  async #send(number: number, token: string): Promise<void> {
    const value = `${this.#root}/value`
    const child = `${this.#root}/made/${token}-`
    if (number % 4 === 0) {
      await this.#zk.create(child, token, { mode: 'persistent-sequential' })
    } else if (number % 4 === 1) {
      await this.#zk.multi().create(child, token).setData(value, token).commit()
    } else if (number % 4 === 2) {
      await this.#zk.setData(value, token, { version: 0x7fff_ffff })
    } else {
      this.#note((await this.#zk.setData(value, token)).mzxid)
    }
  }

  async #read(): Promise<void> {
    try {
      const { data, stat } = await this.#zk.getData(`${this.#root}/value`)
      this.#reads.answered++
      this.#answers.set(stat.mzxid, String(data))
      this.#note(stat.mzxid)
    } catch {
      this.#reads.failed++
    }
  }

  /** Answers come in the order of the calls, so none may be older than the one before it. */
  #note(mzxid: bigint): void {
    if (mzxid < this.#newest) this.#reads.stale++
    else this.#newest = mzxid
  }

  /** Sets a one-shot watch, and the next one as soon as it fires. */
  #watch(): void {
    const index = this.#watchCalls.push(0) - 1
    const watch = ({ type }: WatchEvent) => {
      if (type !== 'NodeDataChanged') return
      this.#watchCalls[index]!++
      if (!this.#isStopped) this.#watch()
    }
    this.#zk.getData(`${this.#root}/value`, { watch }).catch(() => {
      this.#reads.failed++
    })
  }
}

function answerOf([mzxid, token]: readonly [bigint, string]): Answer {
  return { mzxid, token }
}

function histogram(counts: readonly number[]): number[] {
  const length = counts.reduce((most, count) => Math.max(most, count), 1) + 1
  const result = Array.from({ length }, () => 0)
  for (const count of counts) result[count]!++
  return result
}
