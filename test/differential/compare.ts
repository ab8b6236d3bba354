/** Plays scripts on the in-process server and on Apache ZooKeeper: both must tell clients the same. */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { type ProfileName, TestServer } from '../../src/testing/index.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'
import { isFleeting } from './calls.ts'
import { play } from './play.ts'
import { type Script, scripts } from './script.ts'

/** Containers stay while a script plays: nobody knows when a server looks after them. */
const never = 1_000_000_000
/** Only where scripts wait until they are gone. */
const often = 10

/** A shorter script is looked for so long. */
const shrinkingMsMax = 15_000

/** Short, so that sessions can expire soon. */
const tickTimeMs = 50
const superDigest = 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs=' // super:admin

/** Where the shortest script stands on which both servers differ: so it is found again at once. */
export interface Difference {
  readonly path: string
  /** What happened, up to the first line that is not the same. */
  readonly text: string
}

export class Judges implements AsyncDisposable {
  readonly #lasting: Pair
  readonly #fleeting: Pair

  static async start(): Promise<Judges> {
    return new Judges(await Pair.start(never), await Pair.start(often))
  }

  private constructor(lasting: Pair, fleeting: Pair) {
    this.#lasting = lasting
    this.#fleeting = fleeting
  }

  get version(): string {
    return this.#lasting.version
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lasting[Symbol.asyncDispose]()
    await this.#fleeting[Symbol.asyncDispose]()
  }

  /** Null if both servers agree on the script of this seed, or on the one at `path` of those it shrinks to. */
  async differenceOf(seed: number, length: number, path?: string): Promise<Difference | null> {
    let endMs = Infinity
    const property = fc.asyncProperty(scripts(length, this.version), async (script) => {
      if (Date.now() > endMs) return // what is left of the search for a shorter one
      const pair = isFleeting(script.kind) ? this.#fleeting : this.#lasting
      const text = await pair.differenceOn(script)
      if (text === null) return
      endMs = Math.min(endMs, Date.now() + shrinkingMsMax)
      throw new Disagreement(text)
    })
    const where = path === undefined ? {} : { path, endOnFailure: true }
    const result = await fc.check(property, { seed, numRuns: 1, ...where })
    if (!result.failed) return null
    const { errorInstance, counterexamplePath } = result
    return { path: counterexamplePath ?? '0', text: textOf(errorInstance) }
  }
}

class Disagreement extends Error {}

/** Of anything else that goes wrong it matters where. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error instanceof Disagreement ? error.message : (error.stack ?? error.message)
}

/** A server of ours, and a real one that is told the same. */
class Pair implements AsyncDisposable {
  readonly #real: ZooKeeperServer
  readonly #ours: TestServer

  static async start(containerCheckInterval: number): Promise<Pair> {
    const real = await ZooKeeperServer.start({
      tickTimeMs,
      jvmProperties: {
        'znode.container.checkIntervalMs': containerCheckInterval,
        'zookeeper.enforceQuota': true,
      },
    })
    const profile = real.version.split('.').slice(0, 2).join('.') as ProfileName
    const ours = await TestServer.start({
      tickTime: tickTimeMs,
      containerCheckInterval,
      enforceQuota: true,
      superDigest,
      profile,
    })
    return new Pair(real, ours)
  }

  private constructor(real: ZooKeeperServer, ours: TestServer) {
    this.#real = real
    this.#ours = ours
  }

  get version(): string {
    return this.#real.version
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ours.close()
    await this.#real[Symbol.asyncDispose]()
  }

  async differenceOn(script: Script): Promise<string | null> {
    const root = `/${randomUUID()}`
    const [expected, actual] = await Promise.all(
      [this.#real.port, this.#ours.port].map((port) => {
        return play(script, { port, version: this.version }, root)
      }),
    )
    if (isDeepStrictEqual(actual, expected)) return null
    return differenceBetween(expected!, actual!).replaceAll(root, '')
  }
}

/** All lines up to the first that differs. */
function differenceBetween(expected: readonly string[], actual: readonly string[]): string {
  const at = expected.findIndex((line, i) => line !== actual[i])
  const lines = [
    ...expected.slice(0, at),
    `Apache ZooKeeper:  ${expected[at]}`,
    `in-process server: ${actual[at]}`,
  ]
  return lines.join('\n')
}
