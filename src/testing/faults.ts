/** The faults that are planned, and whom they strike. */
import { ZooKeeperError } from '../protocol/index.ts'
import { checkPlan, type FaultPlan, operationsOf } from './fault-plan.ts'
import { Prng } from './prng.ts'
import { type RequestView } from './request-view.ts'

/** A plan that was added to {@link Faults}. */
export class Fault {
  readonly plan: FaultPlan
  /**
   * Resolves when it has struck for the first time: before anything of that has reached the client, be
   * it a reply or the end of the connection. Rejects with `CLOSED` if it was removed, or the server
   * closed, before.
   */
  readonly struck: Promise<void>
  readonly #matches: (request: RequestView) => boolean
  readonly #dice: Prng
  readonly #onDone: (fault: Fault) => void
  #seen = 0
  #hits = 0
  #settle!: { readonly resolve: () => void; readonly reject: (error: unknown) => void }

  /** @internal */
  constructor(plan: FaultPlan, onDone: (fault: Fault) => void) {
    checkPlan(plan)
    this.plan = plan
    this.#matches = matcherOf(plan)
    this.#dice = new Prng(plan.seed ?? 0)
    this.#onDone = onDone
    this.struck = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.struck.catch(() => undefined) // not everybody waits for it
  }

  /** How often it has struck. */
  get hits(): number {
    return this.#hits
  }

  /** It strikes no more. What it has done to connections stays. */
  remove(): void {
    this.#onDone(this)
    const detail = 'the fault was removed before it struck'
    this.#settle.reject(new ZooKeeperError('CLOSED', { detail }))
  }

  /** @internal Whether it strikes this request; counts it. */
  meets(request: RequestView): boolean {
    if (!this.#matches(request)) return false
    this.#seen++
    const { nth = 1, times = 1, chance = 1 } = this.plan
    if (this.#seen < nth || (chance < 1 && !this.#dice.chance(chance))) return false
    this.#hits++
    this.#settle.resolve()
    if (this.#hits === times) this.#onDone(this)
    return true
  }
}

/** What shall go wrong at a server. */
export class Faults {
  readonly #active = new Set<Fault>()

  /** Those that may still strike, in the order in which they are asked. */
  get active(): readonly Fault[] {
    return [...this.#active]
  }

  /**
   * Plans a fault. Of several that match a request, the one added first strikes.
   *
   * @throws {ZooKeeperError} `BAD_ARGUMENTS` for a plan that is none.
   * @example
   * const fault = server.faults.add({ do: 'drop-reply', operation: 'create', path: '/locks/**' })
   * await fault.struck
   */
  add(plan: FaultPlan): Fault {
    const fault = new Fault(plan, (done) => this.#active.delete(done))
    this.#active.add(fault)
    return fault
  }

  /** Removes all. What they have done to connections stays. */
  clear(): void {
    for (const fault of [...this.#active]) fault.remove()
  }

  /** @internal */
  get isEmpty(): boolean {
    return this.#active.size === 0
  }

  /** @internal The plan that strikes this request. */
  strike(request: RequestView): FaultPlan | null {
    for (const fault of this.#active) if (fault.meets(request)) return fault.plan
    return null
  }
}

function matcherOf(plan: FaultPlan): (request: RequestView) => boolean {
  const operations = operationsOf(plan)
  const path = plan.path === undefined ? null : patternOf(plan.path)
  return ({ operation, sessionId, paths }) => {
    const isNamed = operations?.has(operation) ?? !unnamed.has(operation)
    if (!isNamed || (plan.session !== undefined && plan.session !== sessionId)) return false
    return path === null || paths.some((candidate) => path.test(candidate))
  }
}

/** Strike only who names them: they come at times of their own. */
const unnamed: ReadonlySet<string> = new Set(['ping', 'handshake', 'accept'])

function patternOf(path: string): RegExp {
  const parts = path.split(/(\*\*?)/).map((part) => {
    if (part === '**') return '.*'
    return part === '*' ? '[^/]*' : part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`, 's')
}
