/**
 * An ephemeral znode that is there for as long as we want it: made anew when its session expired or
 * somebody deleted it.
 */
import {
  type ACL,
  type CallOptions,
  isZooKeeperError,
  type WatchEvent,
  type ZooKeeper,
  ZooKeeperError,
} from '../client/index.ts'
import { createContainers } from './containers.ts'
import { abortable, deleteIfThere, insist, isPassing, patient, within } from './patience.ts'

export interface PersistentNodeOptions {
  readonly path: string
  readonly data: string
  readonly acl: readonly ACL[] | undefined
}

export class PersistentNode implements AsyncDisposable {
  readonly path: string
  readonly #zk: ZooKeeper
  readonly #options: PersistentNodeOptions
  readonly #closed = new AbortController()
  /** Sessions of ours that owned the znode: what they left behind may be removed. */
  readonly #ourSessions = new Set<bigint>()
  #closing: Promise<void> | null = null

  private constructor(zk: ZooKeeper, options: PersistentNodeOptions) {
    this.#zk = zk
    this.#options = options
    this.path = options.path
  }

  /**
   * Makes the znode and keeps it.
   *
   * If another session owns one of this name, it may be the ghost of a process that has just died: we
   * wait for it to vanish. If it is still there at the end of the timeout, it is alive, and this rejects
   * with `NODE_EXISTS`. Never is somebody else's znode taken for ours.
   */
  static async open(
    zk: ZooKeeper,
    options: PersistentNodeOptions,
    { signal, timeout = (zk.session.timeout * 4) / 3 }: CallOptions = {},
  ): Promise<PersistentNode> {
    const node = new PersistentNode(zk, options)
    try {
      await within(zk, { signal, timeout }, (ended) => node.#untilOurs(ended))
    } catch (error) {
      void node.close()
      if (!isZooKeeperError(error, 'TIMEOUT') || zk.state !== 'connected') throw error
      const detail = 'another session owns this znode'
      throw new ZooKeeperError('NODE_EXISTS', { path: options.path, detail, cause: error })
    }
    void node.#keep()
    return node
  }

  /** Removes the znode. Never rejects: without a link it goes on in the background. */
  close(): Promise<void> {
    this.#closed.abort()
    this.#closing ??= insist(this.#zk, async () => {
      const stat = await this.#zk.exists(this.path)
      if (stat !== null && this.#isOurs(stat.ephemeralOwner)) {
        await deleteIfThere(this.#zk, this.path)
      }
    })
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Looks, mends, and looks again whenever something happened, until it is closed. */
  async #keep(): Promise<void> {
    const { signal } = this.#closed
    while (!signal.aborted) {
      try {
        const { changed } = await this.#untilOurs(signal)
        await changed
      } catch (error) {
        if (!isPassing(error)) return // closed, or not permitted any more: nothing will mend it
      }
    }
  }

  /** @returns a promise for the next thing that happens to the znode, once it is there and ours. */
  async #untilOurs(signal: AbortSignal): Promise<{ readonly changed: Promise<unknown> }> {
    for (;;) {
      const { changed, owner } = await this.#look(signal)
      if (owner === this.#zk.session.id) {
        this.#ourSessions.add(owner)
        return { changed }
      }
      if (owner === null) await this.#create(signal)
      else if (this.#ourSessions.has(owner)) {
        await deleteIfThere(this.#zk, this.path, patient(signal))
      } else {
        await abortable(changed, signal)
      }
    }
  }

  /** Who owns the znode now, and a promise for the next thing that happens to it. */
  async #look(signal: AbortSignal) {
    let watch: (event: WatchEvent) => void = () => undefined
    const changed = new Promise<WatchEvent>((resolve) => {
      watch = resolve
    })
    const stat = await this.#zk.exists(this.path, {
      watch,
      watchSignal: signal,
      ...patient(signal),
    })
    return { changed, owner: stat?.ephemeralOwner ?? null }
  }

  async #create(signal: AbortSignal): Promise<void> {
    const { path, data, acl } = this.#options
    const options = { mode: 'ephemeral' as const, ...(acl && { acl }), ...patient(signal) }
    try {
      const { stat } = await this.#zk.create(path, data, options)
      this.#ourSessions.add(stat.ephemeralOwner)
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) {
        const parent = path.slice(0, path.lastIndexOf('/'))
        await createContainers(this.#zk, parent, acl, signal)
      } else if (!isZooKeeperError(error, 'NODE_EXISTS') && !isPassing(error)) {
        throw error
      }
      // A lost reply, or somebody was faster: the next look tells.
    }
  }

  #isOurs(owner: bigint): boolean {
    return owner === this.#zk.session.id || this.#ourSessions.has(owner)
  }
}
