/**
 * A place in a line: an ephemeral sequential znode whose number says who came first. Locks and
 * elections are made of it. Its create is protected (`_c_<uuid>-lock-0000000007`), so that there is
 * one znode whatever happens to the reply.
 */
import {
  type ACL,
  isZooKeeperError,
  type Stat,
  type WatchEvent,
  type ZooKeeper,
  ZooKeeperError,
} from '../client/index.ts'
import { abortable, deleteIfThere, insist, patient } from './patience.ts'

/** Which line to stand in. */
export interface Line {
  /** The znode whose children stand in line. It is made as a container if it is missing. */
  readonly path: string
  /** What the znodes are called between uuid and number, such as `lock-`. */
  readonly label: string
  /** What the znodes hold: a word for people who look. */
  readonly data: string
  /** For every znode that is made; undefined for the client's. */
  readonly acl: readonly ACL[] | undefined
}

export class Contender {
  readonly path: string
  /** The czxid of the znode: greater than that of everybody who came before. */
  readonly token: bigint
  /** The session that owns the znode, and takes it along when it ends. */
  readonly sessionId: bigint
  readonly #zk: ZooKeeper
  readonly #line: Line

  private constructor(zk: ZooKeeper, line: Line, path: string, stat: Stat) {
    this.#zk = zk
    this.#line = line
    this.path = path
    this.token = stat.czxid
    this.sessionId = stat.ephemeralOwner
  }

  /**
   * Joins the line at its end, as soon as there is a link.
   *
   * If it fails, whatever the reason, no znode stays behind: one whose creation is unknown is looked
   * for and removed in the background, as soon as a server can be asked.
   */
  static async enter(zk: ZooKeeper, line: Line, signal: AbortSignal): Promise<Contender> {
    const { path, label, data, acl } = line
    const options = {
      mode: 'ephemeral-sequential' as const,
      protect: true,
      parents: 'container' as const,
      ...(acl !== undefined && { acl }),
      ...patient(signal),
    }
    const created = await zk.create(`${path}/${label}`, data, options)
    return new Contender(zk, line, created.path, created.stat)
  }

  /**
   * The znode directly ahead of ours; null if we are the first.
   *
   * @throws {ZooKeeperError} `LEASE_LOST` if our own is gone, or belongs to a session that has ended.
   */
  async predecessor(signal: AbortSignal): Promise<string | null> {
    const line = await contendersOf(this.#zk, this.#line, signal)
    const index = line.indexOf(this.path)
    if (index === -1 || this.#zk.session.id !== this.sessionId) throw this.#lost()
    return line[index - 1] ?? null
  }

  /**
   * Resolves when something happened to the znode ahead: it is gone, has changed, or its watch has
   * ended with the session. Look again then.
   */
  async untilChanged(predecessor: string, signal: AbortSignal): Promise<void> {
    let watch: (event: WatchEvent) => void = () => undefined
    const changed = new Promise<WatchEvent>((resolve) => {
      watch = resolve
    })
    try {
      // getData, not exists: a znode that is gone already must not leave a watch behind.
      await this.#zk.getData(predecessor, { watch, watchSignal: signal, ...patient(signal) })
    } catch (error) {
      if (isZooKeeperError(error, 'NO_NODE')) return
      throw error
    }
    await abortable(changed, signal)
  }

  /**
   * Proves to the servers' quorum that the znode is still ours, by writing to it.
   *
   * @throws {ZooKeeperError} `NO_NODE` or `LEASE_LOST` if it is not.
   */
  async prove(signal: AbortSignal): Promise<void> {
    const stat = await this.#zk.setData(this.path, this.#line.data, patient(signal))
    if (stat.czxid !== this.token || this.#zk.session.id !== this.sessionId) throw this.#lost()
  }

  /** Calls `gone` once if the znode is deleted, by whomever. */
  async watchOwn(gone: () => void): Promise<void> {
    const watch = ({ type }: WatchEvent) => {
      if (type === 'NodeDeleted') gone()
      else if (type === 'NodeDataChanged') void insist(this.#zk, () => this.watchOwn(gone))
    }
    try {
      await this.#zk.getData(this.path, { watch })
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE')) throw error
      gone()
    }
  }

  /**
   * Leaves the line. Never rejects: without a link it goes on in the background until the znode is
   * gone, its session has ended or the client is closed.
   */
  leave(): Promise<void> {
    return insist(this.#zk, async () => {
      // A znode of an ended session is the servers' to remove; its name may not be ours any more.
      if (this.#zk.session.id === this.sessionId) await deleteIfThere(this.#zk, this.path)
    })
  }

  #lost(): ZooKeeperError {
    const detail = 'the place in line is gone'
    return new ZooKeeperError('LEASE_LOST', { path: this.path, sessionId: this.sessionId, detail })
  }
}

/** The paths of all who stand in line, first come first. Znodes of another kind are left out. */
export async function contendersOf(
  zk: ZooKeeper,
  { path, label }: Pick<Line, 'path' | 'label'>,
  signal?: AbortSignal,
): Promise<string[]> {
  const { children } = await zk.getChildren(path, patient(signal))
  return children
    .map((name) => ({ name, sequence: sequenceOf(name, label) }))
    .filter(({ sequence }) => !Number.isNaN(sequence))
    .sort((a, b) => compareSequence(a.sequence, b.sequence))
    .map(({ name }) => `${path}/${name}`)
}

/**
 * The order of two sequence numbers. They are a signed 32-bit counter that wraps, so what counts is
 * which way round is shorter: 2147483647 comes before -2147483648.
 */
function compareSequence(a: number, b: number): number {
  return (a - b) | 0
}

/** The number behind the label, which may be negative; NaN if the name is not of this kind. */
function sequenceOf(name: string, label: string): number {
  const at = name.lastIndexOf(label)
  const digits = at === -1 ? '' : name.slice(at + label.length)
  return /^(\d{10}|-\d{9,10})$/.test(digits) ? Number(digits) : NaN
}
