import { expect, onTestFinished, test } from 'vitest'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type ChannelMessages,
  channels,
  isZooKeeperError,
  type Outcome,
  type ZooKeeper,
} from '../../src/index.ts'
import { openAt } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { type LoggedTransaction } from '../support/transaction-log.ts'
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts'

// docs/lost-replies.md says how a client finds out what became of a write whose reply was lost. Here
// three real servers lose replies, by losing their leader, and their transaction logs say what is true.

const kinds = ['create', 'setData', 'delete', 'ephemeral'] as const
type Kind = (typeof kinds)[number]

interface Told {
  readonly kind: Kind
  readonly path: string
  readonly outcome: Outcome
  readonly code: string
}

describeReal('writes that are made again', () => {
  test('while one leader after the other is killed: are done once, as they are told', async ({
    annotate,
  }) => {
    await using ensemble = await ZooKeeperEnsemble.start()
    const zk = await openAt(ensemble.connectString, { sessionTimeout: 9_000 })
    const lost = countLostReplies()
    const writers = new Writers(zk)
    await writers.prepare()
    const working = writers.work()
    for (let round = 0; round < 3; round++) {
      await writers.untilTold(150)
      const leader = await ensemble.untilWhole()
      const suspended = zk.waitFor('suspended')
      await leader.kill()
      await suspended
      await zk.waitFor('connected')
      await leader.restart()
    }
    await writers.untilTold(150)
    writers.stop()
    await working

    const times = timesDone(await ensemble.history())
    const timesOf = ({ kind, path }: Told) => times.get(`${changeOf[kind]} ${path}`) ?? 0
    expect(writers.told.filter((told) => !isTrue(told, timesOf(told)))).toEqual([])
    // Nobody else writes here, so that all of them can be found out.
    expect(writers.told.filter(({ outcome }) => outcome === 'unknown')).toEqual([])
    expect(lost.count).toBeGreaterThan(0)
    await annotate(`${writers.told.length} writes, ${lost.count} requests were made again`)
  }, 90_000)
})

/** Four loops that write in bursts: what each write concerns, no other does. */
class Writers {
  readonly told: Told[] = []
  readonly #zk: ZooKeeper
  readonly #progress = new EventEmitter()
  #isStopped = false
  #issued = 0

  constructor(zk: ZooKeeper) {
    this.#zk = zk
  }

  async prepare(): Promise<void> {
    for (const kind of kinds) await this.#zk.create(`/${kind}`)
  }

  async work(): Promise<void> {
    const loop = async (pauseMs: number) => {
      while (!this.#isStopped) {
        await Promise.all(kinds.map((kind) => this.#write(kind, this.#issued++)))
        await delay(pauseMs) // so that they are not all answered together
      }
    }
    await Promise.all([3, 7, 11, 13].map(loop))
  }

  stop(): void {
    this.#isStopped = true
  }

  async untilTold(more: number): Promise<void> {
    const count = this.told.length + more
    while (this.told.length < count) await once(this.#progress, 'told')
  }

  async #write(kind: Kind, number: number): Promise<void> {
    const path = `/${kind}/${number}`
    const tell = (outcome: Outcome, code: string) => {
      this.told.push({ kind, path, outcome, code })
      this.#progress.emit('told')
    }
    try {
      await this.#send(kind, path)
      tell('applied', 'OK')
    } catch (error) {
      if (!isZooKeeperError(error)) throw error
      tell(error.outcome, error.code)
    }
  }

  async #send(kind: Kind, path: string): Promise<void> {
    const zk = this.#zk
    const idempotent = 'unique-data' as const
    if (kind === 'create') await zk.create(path, path, { idempotent })
    else if (kind === 'ephemeral') {
      await zk.create(path, path, { mode: 'ephemeral', idempotent: true })
    } else {
      await zk.create(path, '', { idempotent: true }).catch(ignoreExisting)
      if (kind === 'delete') await zk.delete(path, { idempotent: true })
      else await zk.setData(path, path, { version: 0, idempotent })
    }
  }
}

/** A create without data of its own may have to leave open whose the znode is: here it is ours. */
function ignoreExisting(error: unknown): void {
  if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error
}

const changeOf = {
  create: 'create',
  ephemeral: 'create',
  setData: 'setData',
  delete: 'delete',
} as const satisfies Record<Kind, string>

/** How often each change was made: those of a path have names of their own. */
function timesDone(history: readonly LoggedTransaction[]): Map<string, number> {
  const times = new Map<string, number>()
  for (const { type, path } of history.flatMap(({ changes }) => changes)) {
    const change = `${type} ${path}`
    times.set(change, (times.get(change) ?? 0) + 1)
  }
  return times
}

function isTrue({ outcome }: Told, times: number): boolean {
  if (outcome === 'applied') return times === 1
  return outcome === 'not-applied' ? times === 0 : times <= 1
}

function countLostReplies(): { readonly count: number } {
  const lost = { count: 0 }
  const note = (message: unknown) => {
    if ((message as ChannelMessages['retry']).reason === 'lost-reply') lost.count++
  }
  subscribe(channels.retry, note)
  onTestFinished(() => void unsubscribe(channels.retry, note))
  return lost
}
