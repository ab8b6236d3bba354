import {
  type ACL,
  type CallOptions,
  type DataResult,
  type EventStream,
  isZooKeeperError,
  type Stat,
  type ZooKeeper,
  ZooKeeperError,
} from '../client/index.ts'
import { Broadcast } from './broadcast.ts'
import { createContainers } from './containers.ts'

/** How a value becomes bytes, and who may see them. */
export interface ConfigOptions<T> {
  /** Makes a value of a znode's bytes; throws if it cannot. Default: JSON. */
  readonly decode?: (data: Buffer) => T
  /** Makes bytes of a value. Default: JSON. */
  readonly encode?: (value: T) => string | Uint8Array
  /** For znodes that `set` makes, parents too. Default: the client's. */
  readonly acl?: readonly ACL[]
  /** Ends the wait for the first value. */
  readonly signal?: AbortSignal | undefined
}

/** A value and the version at which it was read. */
export interface Versioned<T> {
  /** Null if there is no znode. */
  readonly value: T | null
  /** -1 if there is no znode. */
  readonly version: number
}

/**
 * One value in one znode, kept current, and written only on top of what was seen.
 *
 * @example
 * const limits = await Config.open<{ rate: number }>(zk, '/config/limits')
 * serve(() => limits.value?.rate ?? 10) // always the newest
 * await limits.update((now) => ({ rate: (now?.rate ?? 10) * 2 }))
 */
export class Config<T> implements AsyncDisposable {
  readonly #zk: ZooKeeper
  readonly #path: string
  readonly #decode: (data: Buffer) => T
  readonly #encode: (value: T) => string | Uint8Array
  readonly #acl: readonly ACL[] | undefined
  readonly #changes = new Broadcast<Versioned<T>>()
  readonly #closed = new AbortController()
  #now: Versioned<T> = { value: null, version: -1 }
  /** The change that made `#now`; 0n for none. */
  #mzxid = 0n
  #error: unknown = null

  private constructor(zk: ZooKeeper, path: string, options: ConfigOptions<T>) {
    this.#zk = zk
    this.#path = path
    this.#decode = options.decode ?? ((data) => JSON.parse(data.toString('utf8')) as T)
    this.#encode = options.encode ?? ((value) => JSON.stringify(value))
    this.#acl = options.acl
  }

  /**
   * Reads the value and follows it until it is closed, through reconnects and expiry.
   *
   * @throws whatever reading throws, such as `NO_AUTH`. A missing znode is no error.
   */
  static async open<T>(
    zk: ZooKeeper,
    path: string,
    options: ConfigOptions<T> = {},
  ): Promise<Config<T>> {
    const config = new Config(zk, path, options)
    const abort = () => {
      config.#closed.abort(options.signal?.reason)
    }
    options.signal?.addEventListener('abort', abort, { once: true })
    const values = zk.observe(path, { signal: config.#closed.signal })
    try {
      const { value } = await values.next()
      config.#take(value ?? null)
    } finally {
      options.signal?.removeEventListener('abort', abort)
    }
    void config.#follow(values)
    return config
  }

  /** The newest value that could be decoded; null if there is no znode. */
  get value(): T | null {
    return this.#now.value
  }

  /** The version of `value`; -1 if there is no znode. */
  get version(): number {
    return this.#now.version
  }

  /** Why the newest bytes could not be decoded, or why the value is not followed any more; else null. */
  get error(): unknown {
    return this.#error
  }

  /** Each newer value, from now on. A slow reader gets the newest. */
  changes(): EventStream<Versioned<T>> {
    return this.#changes.listen()
  }

  /**
   * Writes a value on top of the one that was seen.
   *
   * @param options.version the version to replace; default: the one seen last; -1 creates the znode.
   * @returns the new version.
   * @throws {ZooKeeperError} `BAD_VERSION` if somebody was faster.
   */
  async set(
    value: T,
    { version = this.version, ...options }: CallOptions & { readonly version?: number } = {},
  ): Promise<number> {
    const data = this.#encode(value)
    const stat =
      version === -1
        ? await this.#create(data, options)
        : await this.#zk.setData(this.#path, data, { ...options, version })
    this.#tell({ value, version: stat.version }, stat.mzxid)
    return stat.version
  }

  /** Replaces the value by what `change` makes of it, again if somebody was faster. */
  async update(change: (now: T | null) => T, options?: CallOptions): Promise<number> {
    for (;;) {
      const { value, version } = await this.#read(options)
      try {
        return await this.set(change(value), { ...options, version })
      } catch (error) {
        if (!isZooKeeperError(error, 'BAD_VERSION')) throw error
      }
    }
  }

  /** Stops following. Never rejects. */
  close(): Promise<void> {
    this.#closed.abort()
    this.#changes.end()
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #follow(values: ReturnType<ZooKeeper['observe']>): Promise<void> {
    try {
      for await (const value of values) this.#take(value)
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#error = error
    }
    this.#changes.end()
  }

  #take(read: DataResult | null): void {
    try {
      this.#tell(this.#versioned(read), read?.stat.mzxid ?? 0n)
      this.#error = null
    } catch (error) {
      this.#error = error // the last good value stays
    }
  }

  /** Replies come in the order of the changes, so what is told last is the newest. */
  #tell(now: Versioned<T>, mzxid: bigint): void {
    const isNew = mzxid !== this.#mzxid // what `set` has written is also observed
    this.#now = now
    this.#mzxid = mzxid
    if (isNew) this.#changes.push(now)
  }

  #versioned(read: DataResult | null): Versioned<T> {
    if (read === null) return { value: null, version: -1 }
    return { value: this.#decode(read.data ?? Buffer.alloc(0)), version: read.stat.version }
  }

  async #read(options: CallOptions | undefined): Promise<Versioned<T>> {
    try {
      return this.#versioned(await this.#zk.getData(this.#path, options))
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error
      return { value: null, version: -1 }
    }
  }

  async #create(data: string | Uint8Array, options: CallOptions): Promise<Stat> {
    const acl = this.#acl === undefined ? {} : { acl: this.#acl }
    for (;;) {
      try {
        return (await this.#zk.create(this.#path, data, { ...options, ...acl })).stat
      } catch (error) {
        if (isZooKeeperError(error, 'NODE_EXISTS')) {
          throw new ZooKeeperError('BAD_VERSION', { path: this.#path, op: 'set', cause: error })
        }
        if (!isZooKeeperError(error, 'NO_NODE')) throw error
        const parent = this.#path.slice(0, this.#path.lastIndexOf('/'))
        await createContainers(this.#zk, parent, this.#acl, options.signal)
      }
    }
  }
}
