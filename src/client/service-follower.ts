/** Finds the servers of a service by its SRV records, and goes on looking while the client lives. */
import { formatHost, type Host } from '../protocol/connect-string.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type Timer } from '../session/runtime.ts'
import { dialPauseMs } from '../session/timing.ts'
import { type Ending, type SessionKeeper } from './session-keeper.ts'

export function followService(keeper: SessionKeeper, service: string): void {
  const follower = new ServiceFollower(keeper, service)
  keeper.open.add(follower)
  follower.look()
}

class ServiceFollower implements Ending {
  readonly #keeper: SessionKeeper
  readonly #service: string
  #isLooking = false
  #isOver = false
  /** In a row. */
  #failures = 0
  /** What the records said last. */
  #told = ''
  #timer: Timer | null = null

  constructor(keeper: SessionKeeper, service: string) {
    this.#keeper = keeper
    this.#service = service
    keeper.states.listen(({ state }) => {
      if (state === 'suspended') this.look() // the server may have gone for good
    })
  }

  look(): void {
    if (this.#isLooking || this.#isOver) return
    this.#isLooking = true
    this.#timer?.cancel()
    this.#adopt().then(this.#rest, this.#fail)
  }

  end(): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.#keeper.open.delete(this)
  }

  fail(): void {
    this.end()
  }

  async #adopt(): Promise<void> {
    const hosts = hostsOf(await this.#keeper.runtime.resolveService(this.#service))
    if (hosts.length === 0) {
      const detail = `${this.#service} has no SRV record that names a server`
      throw new ZooKeeperError('CONNECTION_LOSS', { detail })
    }
    const told = hosts.map(formatHost).sort().join()
    if (this.#isOver || told === this.#told) return
    this.#keeper.updateHosts(hosts)
    this.#told = told
  }

  readonly #rest = (): void => {
    this.#failures = 0
    this.#lookAfter(this.#keeper.options.srvRefreshIntervalMs)
  }

  /** The last list stays. Without any there is nothing else to do than to look again soon. */
  readonly #fail = (error: unknown): void => {
    if (this.#isOver) return
    const { runtime, options, session } = this.#keeper
    const pauseMs = dialPauseMs(++this.#failures, runtime.random(), options.session.backoff)
    if (this.#told === '') session.dialling.failed.set(this.#service, error)
    else
      options.logger?.warn(`zoowire: ${this.#service} cannot be looked up; the list stays`, error)
    this.#lookAfter(this.#told === '' ? pauseMs : options.srvRefreshIntervalMs)
  }

  #lookAfter(ms: number): void {
    this.#isLooking = false
    if (this.#isOver) return
    const { runtime } = this.#keeper
    this.#timer = runtime.timer(runtime.nowMs() + ms, () => {
      this.look()
    })
  }
}

/** A service that is decidedly not there has the root as its target. */
function hostsOf(records: readonly Host[]): Host[] {
  const hosts = records.map(({ name, port }) => ({ name: name.replace(/\.$/, ''), port }))
  return hosts.filter(({ name, port }) => name !== '' && port > 0 && port <= 65_535)
}
