import { type Duplex } from 'node:stream'
import { type Door } from './listener.ts'
import { Oracle } from './oracle.ts'
import { type Quorum } from './quorum.ts'
import { type Replica } from './replica.ts'

/** One server of a {@link TestEnsemble}. What it tells is what it knows; its faults strike here only. */
export class TestMember extends Oracle {
  /** The option `dial` of `connect`: connections in memory to this member, whatever the host is called. */
  readonly dial: () => Promise<Duplex>
  /** @internal */
  readonly replica: Replica
  readonly #quorum: Quorum
  readonly #door: Door

  /** @internal */
  constructor(replica: Replica, quorum: Quorum, door: Door) {
    super(replica.keeper)
    this.replica = replica
    this.#quorum = quorum
    this.#door = door
    this.dial = () => door.dial()
  }

  get port(): number {
    return this.#door.port
  }

  /** `127.0.0.1:2181` */
  get address(): string {
    return this.#door.address
  }

  /** @internal */
  get scheme(): string {
    return this.#door.scheme
  }

  /** The number of the server, from 1. */
  get id(): number {
    return this.replica.id
  }

  /** What `/zookeeper/config` says of it: for `reconfig({ joining: [member.configLine] })`. */
  get configLine(): string {
    const { id, address } = this
    const name = hostOf(address)
    const clients = this.scheme === '' ? address : `;${address}`
    // Nobody listens at the ports for other members.
    return `server.${id}=${name}:${28_000 + id}:${38_000 + id}:participant;${clients}`
  }

  get isRunning(): boolean {
    return this.#door.isOpen
  }

  get isLeader(): boolean {
    return this.#quorum.leader === this.replica
  }

  /** Whether it is held. */
  get isHeld(): boolean {
    return this.replica.isHeld
  }

  /**
   * Lags behind from now on: nothing that the leader decides arrives here. Reads show what was, with
   * pings and sessions that move here they are answered at once; writes go to the leader, and are
   * answered, with whatever was asked behind them, when they arrive here; so is `sync`. A write happens
   * when a majority has it: with too many members held none does, and it is lost with its leader.
   *
   * It ends when the member leads. Whoever begins to follow a leader gets all that the leader knows.
   *
   * @throws {Error} if it leads.
   */
  hold(): void {
    if (this.isLeader) throw new Error('a leader does not lag behind itself')
    this.replica.hold()
  }

  /** So many more transactions arrive; without a number, all, and it lags behind no more. */
  release(count = Infinity): void {
    this.#quorum.release(this.replica, count)
  }

  /**
   * Goes away: its connections are reset, dials are refused. If it led, all other members end their
   * connections, too, and one of them leads; what no other member has, is lost, unless this one comes
   * back before they have another leader. Without a majority none serves.
   */
  async stop(): Promise<void> {
    if (!this.isRunning) return
    const closed = this.#door.close()
    this.#quorum.stop(this.replica)
    await closed
  }

  /** Comes back at the same port, with what it had, and is told what it has missed. Idempotent. */
  async restart(): Promise<void> {
    if (this.isRunning) return
    if (this.#quorum.isClosed) throw new Error('the ensemble is closed')
    await this.open()
    this.#quorum.start(this.replica)
  }

  /**
   * Loses its data, as after the loss of a disk.
   *
   * @throws {Error} if it runs.
   */
  wipe(): void {
    if (this.isRunning) throw new Error('the member runs')
    this.replica.wipe()
  }

  /** @internal */
  async open(): Promise<void> {
    await this.#door.open()
  }

  /** @internal */
  async close(): Promise<void> {
    await this.#door.close()
  }
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'))
}
