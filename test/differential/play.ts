/** Plays a script on a server, and writes down what the clients are told. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Operation, operations } from '../../src/protocol/index.ts'
import { openAcl, RawClient, resumeRequest } from '../unit/testing/raw-client.ts'
import { type Call, firstPaths, isFleeting, type Kind, shortLived } from './calls.ts'
import { type Client, clients, type Deed, type Script, type Step } from './script.ts'
import { Telling } from './telling.ts'

export interface Theatre {
  readonly port: number
  /** For instance `3.9.5`. */
  readonly version: string
}

/** Longer than any script takes: nothing expires unless it shall. */
const timeOut = 60_000
/** The least that any server grants. */
const shortTimeOut = 1

/** What happened, line by line: one for each request, and some for each client at the end. */
export async function play(script: Script, theatre: Theatre, root: string): Promise<string[]> {
  await using stage = await Stage.set(script, theatre, root)
  for (const step of script.steps) await stage.perform(step)
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
  readonly #kind: Kind
  readonly #port: number
  readonly #root: string
  readonly #telling: Telling
  readonly #actors = new Map<Client, Actor>()
  #observer: RawClient | null = null
  #markers = 0
  #isOver = false

  static async set({ kind }: Script, theatre: Theatre, root: string): Promise<Stage> {
    const stage = new Stage(kind, theatre, root)
    for (const name of clients) {
      const raw = await RawClient.connect(theatre.port, { timeOut })
      stage.#actors.set(name, { name, raw, sessions: 0, eventsTold: 0 })
      stage.#nameSession(name)
    }
    const { raw } = stage.#actors.get('A')!
    for (const path of firstPaths) {
      const { zxid } = await raw.call(operations.create, plainZnode(root + path))
      if (path === '') stage.#telling.zxidAtStart = zxid
    }
    if (isFleeting(kind)) stage.#observer = await RawClient.connect(theatre.port, { timeOut })
    if (kind !== 'quotas') return stage
    const quota = stage.#resolvedPath('quota:')
    for (const path of firstPaths) await raw.call(operations.create, plainZnode(quota + path))
    return stage
  }

  private constructor(kind: Kind, { port, version }: Theatre, root: string) {
    this.#kind = kind
    this.#port = port
    this.#root = root
    // ZooKeeper asks again and again for the removal of what has not gone yet, and each spends a zxid.
    this.#telling = new Telling(version.startsWith('3.9.'), !isFleeting(kind))
  }

  async perform(step: Step): Promise<void> {
    const actor = this.#actors.get(step.client)!
    if ('call' in step) await this.#ask(actor, step)
    else if ('burst' in step) await this.#crowd(actor, step.burst)
    else await this.#do(actor, step.does)
  }

  /**
   * Lets every client hear what it has not heard yet, and ends the sessions: one that was left would end
   * in the middle of another script.
   */
  async end(): Promise<void> {
    const sync = { call: 'sync', request: { path: '' } } as const
    for (const actor of this.#actors.values()) await this.#ask(actor, sync)
    for (const actor of this.#actors.values()) await this.#endSession(actor)
    await this.#observer?.call(operations.closeSession, undefined)
    this.#isOver = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const raws = [...this.#actors.values()].map(({ raw }) => raw)
    for (const raw of this.#observer === null ? raws : [...raws, this.#observer]) {
      await raw.close()
      if (!this.#isOver) await this.#endLeft(raw)
    }
  }

  async #endLeft(left: RawClient): Promise<void> {
    if (left.session === null) return
    await using raw = await RawClient.connect(this.#port, resumeRequest(left))
    if (raw.session?.timeOut !== 0) await raw.call(operations.closeSession, undefined)
  }

  async #ask(actor: Actor, asked: Call): Promise<void> {
    await this.#crowd(actor, [asked])
    await this.#settle()
  }

  async #crowd(actor: Actor, asked: readonly Call[]): Promise<void> {
    for (const { call, request } of asked) {
      actor.raw.request<unknown>(operations[call], this.#resolved(request))
    }
    for (const { call, request } of asked) {
      const title = `${actor.name} ${call} ${JSON.stringify(request ?? null)}`
      try {
        const operation: Operation = operations[call]
        const { zxid, err, response, bytes } = await actor.raw.takeReply(operation)
        this.#note(title, actor, { zxid, err, length: bytes.length, response })
        if (!closesAt(call, err)) continue
        await actor.raw.closed // a server does so soon, and may answer something before
        await this.#resume(actor)
        return
      } catch (error) {
        if (!(error instanceof Error)) throw error
        this.#note(title, actor, error.message)
        await this.#resume(actor)
        return
      }
    }
  }

  async #do(actor: Actor, deed: Deed): Promise<void> {
    switch (deed) {
      case 'resumes':
        await actor.raw.close()
        return this.#resume(actor)
      case 'takes over': {
        const old = actor.raw
        await this.#resume(actor)
        return old.closed
      }
      case 'is impersonated':
        return this.#impersonate(actor)
      case 'begins anew':
        await this.#endSession(actor)
        return this.#open(actor)
      case 'expires':
        return this.#expire(actor)
      case 'does nothing':
    }
  }

  async #resume(actor: Actor): Promise<void> {
    await this.#attach(actor, { ...resumeRequest(actor.raw), timeOut })
    this.#noteResumed(actor)
  }

  /** Where a session ends, ZooKeeper closes what has attached to it meanwhile, too, without an answer. */
  async #resumeEnded(actor: Actor): Promise<void> {
    const request = { ...resumeRequest(actor.raw), timeOut }
    await this.#attach(actor, request)
    if (actor.raw.session === null) await this.#attach(actor, request)
    this.#noteResumed(actor)
  }

  async #attach(actor: Actor, request: Parameters<typeof RawClient.connect>[1]): Promise<void> {
    actor.raw = await RawClient.connect(this.#port, request)
    actor.eventsTold = 0
  }

  #noteResumed(actor: Actor): void {
    this.#note(`${actor.name} resumes`, actor, actor.raw.session?.timeOut)
  }

  async #impersonate(actor: Actor): Promise<void> {
    const request = { ...resumeRequest(actor.raw), passwd: Buffer.alloc(16, 1), timeOut }
    await using other = await RawClient.connect(this.#port, request)
    this.#note(`${actor.name} is impersonated`, actor, other.session?.timeOut)
    await actor.raw.closed
    await this.#resume(actor)
  }

  /** A znode that goes with the session tells when it has ended. */
  async #expire(actor: Actor): Promise<void> {
    const observer = (this.#observer ??= await RawClient.connect(this.#port, { timeOut }))
    const path = `${this.#root}-${++this.#markers}`
    await actor.raw.call(operations.create, { ...plainZnode(path), flags: 1 })
    await observer.call(operations.exists, { path, watch: true })
    await actor.raw.close()
    const request = { ...resumeRequest(actor.raw), timeOut: shortTimeOut }
    const last = await RawClient.connect(this.#port, request)
    await last.close()
    const { zxid } = await observer.takeEvent()
    this.#telling.noteEnd(zxid)
    await this.#settle()
    await this.#resumeEnded(actor)
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
    this.#telling.noteEnd(zxid)
    this.#note(`${actor.name} ends its session`, actor, { zxid, err })
    await this.#settle()
  }

  #nameSession(name: Client): void {
    const actor = this.#actors.get(name)!
    actor.sessions++
    this.#telling.nameSession(actor.raw.sessionId, `${name}${actor.sessions}`)
  }

  /** Waits until what may go has gone: the server looks at it every few milliseconds. */
  async #settle(): Promise<void> {
    const observer = this.#observer
    if (!isFleeting(this.#kind) || observer === null) return
    for (;;) {
      const request = { path: this.#root + shortLived, watch: false }
      const { response } = await observer.call(operations.exists, request)
      if (response === undefined || response.stat.numChildren > 0) return
      if (this.#kind === 'containers' && response.stat.cversion === 0) return
      await delay(1)
    }
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
    return Object.fromEntries(
      Object.entries(request).map(([key, value]: [string, unknown]) => {
        if (key === 'path' || key === 'prefixPath') return [key, this.#resolvedPath(String(value))]
        if (key.endsWith('Watches')) {
          return [key, (value as string[]).map((path) => this.#resolvedPath(path))]
        }
        if (key === 'relativeZxid') return [key, this.#zxidBehindStart(value as number)]
        if (key === 'curConfigId') return [key, BigInt(value as number)]
        if (key === 'data' || key === 'auth') {
          return [key, value === null ? null : Buffer.from(value as string)]
        }
        return [key, value]
      }),
    )
  }

  /** Where znodes go by themselves, nobody knows what has been spent: all has changed since, or nothing. */
  #zxidBehindStart(count: number): bigint {
    const never = 1_000_000
    const isUncertain = isFleeting(this.#kind) && count > 0
    return this.#telling.zxidAtStart + BigInt(isUncertain ? never : count)
  }

  #resolvedPath(path: string): string {
    const ofQuota = /^quota:(.*)/s.exec(path)?.[1]
    return ofQuota === undefined ? this.#root + path : `/zookeeper/quota${this.#root}${ofQuota}`
  }

  /** With the events that came before the reply. */
  #note(title: string, actor: Actor, reply: unknown): void {
    const events = actor.raw.events.slice(actor.eventsTold)
    actor.eventsTold = actor.raw.events.length
    const told = this.#telling.textOfEvents(events)
    this.lines.push(`${title} -> ${this.#telling.textOf(reply)} ${told}`)
  }
}

/** Whether a server closes the connection behind such a reply. */
function closesAt(call: string, err: number): boolean {
  const unimplemented = -6
  return err === unimplemented || (call === 'auth' && err !== 0)
}

function plainZnode(path: string) {
  return { path, data: null, acl: openAcl, flags: 0 }
}
