import {
  type ACL,
  type EventStream,
  isZooKeeperError,
  type Watch,
  type WatchEvent,
  type ZooKeeper,
} from '../client/index.ts'
import { Broadcast } from './broadcast.ts'
import { createContainers } from './containers.ts'
import { isPassing, patient } from './patience.ts'
import { type ServiceInstance } from './service-instance.ts'

/** `random` spreads callers without coordination; `round-robin` spreads one caller's requests. */
export type PickStrategy = 'random' | 'round-robin'

export interface Service {
  readonly path: string
  readonly acl: readonly ACL[] | undefined
  readonly decode: (data: Buffer | null) => ServiceInstance | null
}

/** The instances of one service, kept current. */
export class ServiceProvider implements AsyncDisposable {
  readonly #zk: ZooKeeper
  readonly #service: Service
  readonly #strategy: PickStrategy
  readonly #watch: Watch
  readonly #lists = new Broadcast<readonly ServiceInstance[]>()
  /** By name of the znode, in the order of the names, so that everybody goes round alike. */
  #byName: ReadonlyMap<string, ServiceInstance> = new Map()
  #instances: readonly ServiceInstance[] = []
  #turn = 0

  private constructor(zk: ZooKeeper, service: Service, strategy: PickStrategy) {
    this.#zk = zk
    this.#service = service
    this.#strategy = strategy
    this.#watch = zk.watch(service.path, { recursive: true, timeout: Infinity })
  }

  /** @internal Use `registry.discover`. */
  static async open(
    zk: ZooKeeper,
    service: Service,
    strategy: PickStrategy,
    signal: AbortSignal | undefined,
  ): Promise<ServiceProvider> {
    await createContainers(zk, service.path, service.acl, signal)
    const provider = new ServiceProvider(zk, service, strategy)
    try {
      await provider.#watch.ready
      await provider.#refresh(null, signal)
    } catch (error) {
      await provider.close()
      throw error
    }
    void provider.#follow()
    return provider
  }

  /** The instances known now. While there is no link, those known last. */
  get instances(): readonly ServiceInstance[] {
    return this.#instances
  }

  /** Whether the list may be behind: there is no link at the moment. */
  get isStale(): boolean {
    return this.#zk.state !== 'connected' && this.#zk.state !== 'read-only'
  }

  /** One instance, by the strategy; null if there is none. */
  pick(): ServiceInstance | null {
    const count = this.#instances.length
    if (count === 0) return null
    if (this.#strategy === 'random') {
      return this.#instances[Math.floor(this.#zk.runtime.random() * count)]!
    }
    this.#turn = (this.#turn + 1) % count
    return this.#instances[this.#turn]!
  }

  /** The list whenever it has changed, from now on. A slow reader gets the newest. */
  changes(): EventStream<readonly ServiceInstance[]> {
    return this.#lists.listen()
  }

  /** Stops following. Never rejects. */
  async close(): Promise<void> {
    await this.#watch.return()
    this.#lists.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #follow(): Promise<void> {
    for (;;) {
      try {
        const { value, done } = await this.#watch.next()
        if (done === true) break
        await this.#refresh(namesIn([value, ...this.#watch.drain()], this.#service.path))
      } catch (error) {
        if (!isPassing(error)) break // closed, or not permitted any more; a `resync` mends the rest
      }
    }
    this.#lists.end()
  }

  /** Reads what may have changed: the znodes named, or all if null. */
  async #refresh(changed: ReadonlySet<string> | null, signal?: AbortSignal): Promise<void> {
    const { children } = await this.#zk.getChildren(this.#service.path, patient(signal))
    const entries = await Promise.all(
      [...children].sort().map(async (name) => {
        const known = changed === null || changed.has(name) ? undefined : this.#byName.get(name)
        return [name, known ?? (await this.#read(name, signal))] as const
      }),
    )
    const found = entries.filter((entry): entry is [string, ServiceInstance] => entry[1] !== null)
    this.#byName = new Map(found)
    const instances = [...this.#byName.values()]
    const isSame =
      instances.length === this.#instances.length &&
      instances.every((instance, i) => instance === this.#instances[i])
    this.#instances = instances
    if (!isSame) this.#lists.push(instances)
  }

  async #read(name: string, signal?: AbortSignal): Promise<ServiceInstance | null> {
    try {
      const { data } = await this.#zk.getData(`${this.#service.path}/${name}`, patient(signal))
      return this.#service.decode(data)
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) return null // gone since the list was read
      throw error
    }
  }
}

/** The children that events speak of; null if they say that anything may have changed. */
function namesIn(events: readonly WatchEvent[], path: string): ReadonlySet<string> | null {
  if (events.some(({ type }) => type === 'resync' || type === 'overflow')) return null
  return new Set(events.map((event) => event.path.slice(path.length + 1)))
}
