/** Plays a script on a server, and writes down what the clients are told, without what may differ. */
import { type Operation, operations } from '../../src/protocol/index.ts'
import { openAcl, RawClient, type RawEvent, resumeRequest } from '../unit/testing/raw-client.ts'
import { type Call, type Client, clients, firstPaths, type Script, type Step } from './script.ts'

/** Lists that a server keeps in no order. `acl`, because `auth` stands for a set of identities. */
const unordered = new Set(['children', 'ephemerals', 'clientInfo', 'acl'])

/** Longer than any script takes: nothing expires. */
const timeOut = 60_000

/** What happened, line by line: one for each step, and one for each client at the end. */
export async function play(script: Script, port: number, root: string): Promise<string[]> {
  await using stage = await Stage.set(port, root)
  for (const step of script) await stage.perform(step)
  await stage.end()
  return stage.lines
}

interface Actor {
  readonly name: Client
  raw: RawClient
  /** How many sessions it has had. */
  sessions: number
  /** How many of its events are written down. */
  eventsTold: number
}

class Stage implements AsyncDisposable {
  readonly lines: string[] = []
  readonly #port: number
  readonly #root: string
  readonly #actors = new Map<Client, Actor>()
  readonly #nameOf = new Map<bigint, string>()
  /** The zxids of session ends: the znodes that go along have no order. */
  readonly #ends = new Set<bigint>()
  #zxidAtStart = 0n

  static async set(port: number, root: string): Promise<Stage> {
    const stage = new Stage(port, root)
    for (const name of clients) {
      const raw = await RawClient.connect(port, { timeOut })
      stage.#actors.set(name, { name, raw, sessions: 0, eventsTold: 0 })
      stage.#nameSession(name)
    }
    const { raw } = stage.#actors.get('A')!
    for (const path of firstPaths) {
      const create = { path: root + path, data: null, acl: openAcl, flags: 0 }
      const { zxid } = await raw.call(operations.create, create)
      if (path === '') stage.#zxidAtStart = zxid
    }
    return stage
  }

  private constructor(port: number, root: string) {
    this.#port = port
    this.#root = root
  }

  async perform(step: Step): Promise<void> {
    const actor = this.#actors.get(step.client)!
    if ('call' in step) await this.#ask(actor, step)
    else if (step.does === 'resume') await this.#resume(actor)
    else if (step.does === 'reopen') await this.#reopen(actor)
  }

  /** Lets every client hear what it has not heard yet, and ends the sessions. */
  async end(): Promise<void> {
    const sync = { call: 'sync', request: { path: '' } } as const
    for (const actor of this.#actors.values()) await this.#ask(actor, sync)
    for (const actor of this.#actors.values()) await this.#endSession(actor)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { raw } of this.#actors.values()) await raw.close()
  }

  async #ask(actor: Actor, { call, request }: Call): Promise<void> {
    const operation: Operation = operations[call]
    const title = `${actor.name} ${call} ${JSON.stringify(request ?? null)}`
    try {
      const reply = await actor.raw.call(operation, this.#resolved(request))
      const { zxid, err, response, bytes } = reply
      this.#note(title, actor, { zxid, err, length: bytes.length, response })
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.#note(title, actor, error.message)
      await this.#open(actor)
    }
  }

  async #resume(actor: Actor): Promise<void> {
    const old = actor.raw
    await old.close()
    actor.raw = await RawClient.connect(this.#port, { ...resumeRequest(old), timeOut })
    actor.eventsTold = 0
    this.#note(`${actor.name} resumes`, actor, actor.raw.session?.timeOut)
  }

  async #reopen(actor: Actor): Promise<void> {
    await this.#endSession(actor)
    await this.#open(actor)
  }

  async #open(actor: Actor): Promise<void> {
    await actor.raw.close()
    actor.raw = await RawClient.connect(this.#port, { timeOut })
    actor.eventsTold = 0
    this.#nameSession(actor.name)
  }

  async #endSession(actor: Actor): Promise<void> {
    const { zxid, err } = await actor.raw.call(operations.closeSession, undefined)
    this.#ends.add(zxid)
    this.#note(`${actor.name} ends its session`, actor, { zxid, err })
  }

  #nameSession(name: Client): void {
    const actor = this.#actors.get(name)!
    actor.sessions++
    this.#nameOf.set(actor.raw.sessionId, `${name}${actor.sessions}`)
  }

  /** The request with whole paths, bytes and zxids. */
  #resolved(request: unknown): unknown {
    if (Array.isArray(request)) {
      return (request as Call[]).map((part) => ({
        type: operations[part.call].code,
        request: this.#resolved(part.request),
      }))
    }
    if (typeof request !== 'object' || request === null) return request
    const whole = (path: unknown) => this.#root + String(path)
    return Object.fromEntries(
      Object.entries(request).map(([key, value]: [string, unknown]) => {
        if (key === 'path' || key === 'prefixPath') return [key, whole(value)]
        if (key.endsWith('Watches')) return [key, (value as string[]).map(whole)]
        if (key === 'relativeZxid') return [key, this.#zxidAtStart + BigInt(value as number)]
        if (key === 'data' || key === 'auth') {
          return [key, value === null ? null : Buffer.from(value as string)]
        }
        return [key, value]
      }),
    )
  }

  /** With the events that came before the reply. */
  #note(title: string, actor: Actor, reply: unknown): void {
    const events = actor.raw.events.slice(actor.eventsTold)
    actor.eventsTold = actor.raw.events.length
    const told = this.#inOrder(events).map(
      ({ type, path, zxid }) => `${type} ${path} ${this.#zxid(zxid)}`,
    )
    this.lines.push(`${title} -> ${JSON.stringify(this.#plain('', reply))} ${told.join(', ')}`)
  }

  #inOrder(events: readonly RawEvent[]): RawEvent[] {
    const key = ({ type, path }: RawEvent) => `${path} ${type}`
    return events.toSorted((a, b) => {
      const isSameEnd = a.zxid === b.zxid && this.#ends.has(a.zxid)
      return isSameEnd ? key(a).localeCompare(key(b)) : 0
    })
  }

  #plain(key: string, value: unknown): unknown {
    if (key === 'ctime' || key === 'mtime') return value === 0 ? 0 : 'some time'
    if (typeof value === 'bigint') {
      return key === 'ephemeralOwner' ? this.#owner(value) : this.#zxid(value)
    }
    if (Buffer.isBuffer(value)) return value.toString()
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#plain('', item))
      const isUnordered = unordered.has(key)
      return isUnordered ? items.map((item) => JSON.stringify(item)).sort() : items
    }
    if (typeof value !== 'object' || value === null) return value ?? null
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, this.#plain(name, field)]),
    )
  }

  #owner(id: bigint): string {
    return this.#nameOf.get(id) ?? id.toString(16)
  }

  /** Behind the znode that all this is below. */
  #zxid(zxid: bigint): string {
    return zxid > 0n ? `+${zxid - this.#zxidAtStart}` : String(zxid)
  }
}
