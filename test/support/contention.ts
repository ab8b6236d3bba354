import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type ZooKeeperEnsemble } from './zookeeper-ensemble.ts'

/** A lease as its holder saw it, on the clock that all processes of the machine share. */
export interface Grant {
  readonly process: number
  readonly index: number
  readonly token: bigint
  readonly atNs: bigint
  /** When its holder stopped relying on it, or was dead. */
  endNs: bigint | null
  readonly server: string | null
}

const program = fileURLToPath(new URL('fixtures/contend.ts', import.meta.url))
const contendersOf = [4, 3, 3]
const killEveryMs = 2_000
const downMs = 800

/**
 * Ten contenders in three processes on one path, while every two seconds the member that serves the
 * holder is killed, or the holder's process, in turn. Both come back.
 */
export class Contention {
  readonly grants: Grant[] = []
  readonly kills = { members: 0, processes: 0 }
  readonly #ensemble: ZooKeeperEnsemble
  readonly #kind: 'lock' | 'election'
  readonly #granted = new EventEmitter()
  #children: ChildProcess[] = []

  constructor(ensemble: ZooKeeperEnsemble, kind: 'lock' | 'election') {
    this.#ensemble = ensemble
    this.#kind = kind
  }

  /** Lets them contend for so long, disturbed, and then stops everybody in good order. */
  async run(ms: number): Promise<void> {
    this.#children = contendersOf.map((_, i) => this.#spawn(i))
    const endMs = performance.now() + ms
    for (let turn = 0; performance.now() < endMs; turn++) {
      await delay(killEveryMs)
      const holder = this.grants.at(-1)
      if (holder === undefined) continue
      if (turn % 2 === 0) await this.#killMember(holder)
      else await this.#killProcess(holder.process)
    }
    await this.#untilServed()
    await Promise.all(this.#children.map((child) => stop(child, 'SIGTERM')))
  }

  /** Once nothing is disturbed any more, everybody's turn comes. The test's timeout is the bound. */
  async #untilServed(): Promise<void> {
    const count = contendersOf.reduce((sum, one) => sum + one, 0)
    while (this.served < count) await once(this.#granted, 'granted')
  }

  /** How many of the contenders have held a lease. */
  get served(): number {
    return new Set(this.grants.map(({ process, index }) => `${process}/${index}`)).size
  }

  async #killMember({ server }: Grant): Promise<void> {
    if (server === null) return
    const member = this.#ensemble.memberAt(server)
    await member.kill()
    this.kills.members++
    await delay(downMs)
    await member.restart()
    await this.#ensemble.untilWhole()
  }

  async #killProcess(index: number): Promise<void> {
    await stop(this.#children[index]!, 'SIGKILL')
    const deadNs = process.hrtime.bigint()
    this.kills.processes++
    for (const grant of this.grants) if (grant.process === index) grant.endNs ??= deadNs
    this.#children[index] = this.#spawn(index)
  }

  #spawn(index: number): ChildProcess {
    const count = String(contendersOf[index])
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', program, this.#ensemble.connectString, this.#kind, count],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    createInterface(child.stdout).on('line', (line) => {
      this.#note(index, JSON.parse(line) as Line)
    })
    return child
  }

  #note(process: number, { event, index, token, at, server }: Line): void {
    const atNs = BigInt(at)
    if (event === 'granted') {
      this.grants.push({ process, index, token: BigInt(token), atNs, endNs: null, server })
      this.#granted.emit('granted')
    } else {
      const grant = this.grants.findLast((one) => one.token === BigInt(token))
      if (grant !== undefined) grant.endNs = atNs
    }
  }
}

interface Line {
  readonly event: 'granted' | 'ended'
  readonly index: number
  readonly token: string
  readonly at: string
  readonly server: string | null
}

async function stop(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close') // behind the last line of its output
  child.kill(signal)
  await closed
}
