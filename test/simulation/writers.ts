import {
  type CallOptions,
  type IdempotentOption,
  isZooKeeperError,
  type Outcome,
  type ZooKeeper,
} from '../../src/index.ts'
import { type Prng } from '../../src/testing/prng.ts'
import { type World } from '../../src/simulation/world.ts'
import { type Violations } from './violations.ts'

/** Znodes that must exist before anybody writes. */
export const parents = ['/made', '/once', '/doomed', '/ephemeral', '/shared'] as const

/** Of one client. */
const writesMax = 150

interface Write {
  readonly client: string
  /** Counts the calls of one client. */
  readonly number: number
  /** The znode that this write alone creates, changes or deletes. */
  readonly path: string
  readonly kind: Kind
  readonly idempotent: IdempotentOption['idempotent']
  outcome: Outcome | null
  /** What the client said of it: the error's code, or `OK`. */
  code: string
}

type Kind = 'create' | 'multi' | 'setData' | 'delete'

/**
 * Writes whose fate can be read off the tree afterwards, because each has a znode of its own. What the
 * client told of each is compared with that: promise 1, and the order of calls.
 */
export class Writers {
  readonly #world: World
  readonly #violations: Violations
  readonly #writes: Write[] = []

  constructor(world: World, violations: Violations) {
    this.#world = world
    this.#violations = violations
  }

  get count(): number {
    return this.#writes.length
  }

  /** How many were told what. */
  outcomes(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { outcome, idempotent } of this.#writes) {
      const name = idempotent === false ? `${outcome}` : `${outcome}, idempotent`
      counts[name] = (counts[name] ?? 0) + 1
    }
    return counts
  }

  /** What a client's writes change or delete must exist before. */
  async prepare(zk: ZooKeeper, client: string): Promise<void> {
    const znodes = Array.from({ length: writesMax }, (_, i) => `${client}-${i}`)
    await Promise.all(
      znodes.flatMap((name) => [zk.create(`/once/${name}`), zk.create(`/doomed/${name}`)]),
    )
  }

  /** Writes in bursts until `endMs`; some of the writes are aborted or have a short timeout. */
  async work(zk: ZooKeeper, client: string, endMs: number, dice: Prng): Promise<void> {
    let number = 0
    while (this.#world.clock.nowMs() < endMs && number < writesMax) {
      const settled: Promise<void>[] = []
      for (let burst = dice.int(1, 6); burst > 0 && number < writesMax; burst--) {
        settled.push(this.#write(zk, client, number++, dice))
      }
      if (dice.chance(0.7)) await Promise.all(settled)
      await this.#world.sleep(dice.int(0, 3_000))
    }
  }

  async #write(zk: ZooKeeper, client: string, number: number, dice: Prng): Promise<void> {
    const kind = dice.pick(['create', 'multi', 'setData', 'delete'] as const)
    const write: Write = {
      client,
      number,
      path: pathOf(kind, client, number),
      kind,
      idempotent: kind === 'multi' ? false : dice.pick([false, false, true, 'unique-data']),
      outcome: null,
      code: '',
    }
    this.#writes.push(write)
    try {
      await this.#send(zk, write, this.#limits(dice))
      write.outcome = 'applied'
      write.code = 'OK'
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
      write.outcome = error.outcome
      write.code = error.code
    }
  }

  #limits(dice: Prng): CallOptions {
    if (dice.chance(0.05)) return { timeout: dice.int(1, 200) }
    if (!dice.chance(0.05)) return {}
    const controller = new AbortController()
    const { clock } = this.#world
    clock.timer(clock.nowMs() + dice.int(0, 100), () => controller.abort())
    return { signal: controller.signal }
  }

  async #send(
    zk: ZooKeeper,
    { kind, path, client, number, idempotent }: Write,
    limits: CallOptions,
  ): Promise<void> {
    const options = { ...limits, idempotent }
    const token = `${client}-${number}`
    if (kind === 'create') await zk.create(path, token, options)
    else if (kind === 'setData') await zk.setData(path, token, options)
    else if (kind === 'delete') await zk.delete(path, options)
    else await zk.multi().create(path, token).setData('/shared', token).commit(limits)
  }

  /** Looks at the tree when everything has settled and nobody writes any more. */
  judge(): void {
    const newest = new Map<string, Write & { zxid: bigint }>()
    for (const write of this.#writes) {
      const { zxid, times } = this.#fateOf(write)
      this.#violations.expect(isTruth(write.outcome, times), () => {
        return `${inWords(write)} was done ${times} times`
      })
      if (zxid === null || write.idempotent !== false) continue // sent again, it comes later
      const earlier = newest.get(write.client)
      this.#violations.expect(earlier === undefined || earlier.zxid < zxid, () => {
        return `${inWords(write)} was done before ${inWords(earlier!)}, which was called earlier`
      })
      newest.set(write.client, { ...write, zxid })
    }
  }

  #fateOf({ kind, path }: Write): { times: number; zxid: bigint | null } {
    const stat = this.#world.quorum.state.tree.get(path)?.stat
    if (kind === 'delete') return { times: stat === undefined ? 1 : 0, zxid: null }
    if (kind === 'setData') {
      const times = stat?.version ?? 0
      return { times, zxid: times > 0 ? stat!.mzxid : null }
    }
    return { times: stat === undefined ? 0 : 1, zxid: stat?.czxid ?? null }
  }
}

function pathOf(kind: Kind, client: string, number: number): string {
  const folder = { create: '/made', multi: '/made', setData: '/once', delete: '/doomed' }[kind]
  return `${folder}/${client}-${number}`
}

function isTruth(outcome: Outcome | null, times: number): boolean {
  if (outcome === 'applied') return times === 1
  if (outcome === 'not-applied') return times === 0
  return outcome === 'unknown' && times <= 1
}

function inWords({ kind, path, outcome, code }: Write): string {
  return `${kind} ${path} (told: ${String(outcome)}, ${code})`
}
