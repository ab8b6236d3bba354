import { type ACL, type CallOptions, type ZooKeeper } from '../client/index.ts'
import { validatePath } from '../client/path-check.ts'
import { type Line } from './contender.ts'
import { type Lease } from './lease.ts'
import { tryLease, waitForLease } from './line.ts'
import { within } from './patience.ts'

/** What the znodes of a lock say, and who may see them. */
export interface LockOptions {
  /** What the znode of whoever waits or holds says to people who look. Default: empty. */
  readonly label?: string
  /** For every znode that is made, parents too. Default: the client's. */
  readonly acl?: readonly ACL[]
}

/**
 * A lock that at most one holds at a time, in the order of arrival, among all who use the same path:
 * in this process, in others, and Curator's `InterProcessMutex`, whose znodes look the same.
 *
 * It is not reentrant: who holds it and acquires it again waits for itself.
 *
 * @example
 * const lock = new Lock(zk, '/locks/reindex')
 * await lock.run(async (held) => {
 *   await reindex({ signal: held.signal, fence: held.fencingToken })
 * })
 */
export class Lock {
  readonly #zk: ZooKeeper
  readonly #line: Line

  constructor(zk: ZooKeeper, path: string, { label = '', acl }: LockOptions = {}) {
    validatePath(path)
    this.#zk = zk
    this.#line = { path, label: 'lock-', data: label, acl }
  }

  /**
   * Waits for the lock.
   *
   * It goes on waiting through reconnects, at its place in line; if its session expires, at the end of
   * the line. On abort and at its timeout (default: none) it rejects with `ABORTED` or `TIMEOUT`; then,
   * as after every other error, its znode is removed, in the background if there is no link.
   */
  acquire(options: CallOptions = {}): Promise<Lease> {
    return within(this.#zk, options, (signal) => waitForLease(this.#zk, this.#line, signal))
  }

  /** Takes the lock if it is free now, else resolves with null and leaves nothing behind. */
  tryAcquire(options: CallOptions = {}): Promise<Lease | null> {
    return within(this.#zk, options, (signal) => tryLease(this.#zk, this.#line, signal))
  }

  /** Waits for the lock, does `work` under it, and releases it, whatever comes of the work. */
  async run<T>(work: (held: Lease) => Promise<T>, options?: CallOptions): Promise<T> {
    const held = await this.acquire(options)
    try {
      return await work(held)
    } finally {
      await held.release()
    }
  }
}
