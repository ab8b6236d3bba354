/** Plays scripts on the in-process server and on Apache ZooKeeper: both must tell clients the same. */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { TestServer } from '../../src/testing/index.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'
import { play } from './play.ts'
import { scripts } from './script.ts'

/** Containers stay while a script plays: nobody knows when a server looks after them. */
const never = 1_000_000_000

export class Judges implements AsyncDisposable {
  readonly real: ZooKeeperServer
  readonly #ours: TestServer

  static async start(): Promise<Judges> {
    const real = await ZooKeeperServer.start({
      jvmProperties: { 'znode.container.checkIntervalMs': never },
    })
    return new Judges(
      real,
      await TestServer.start({ tickTime: 500, containerCheckInterval: never }),
    )
  }

  private constructor(real: ZooKeeperServer, ours: TestServer) {
    this.real = real
    this.#ours = ours
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ours.close()
    await this.real[Symbol.asyncDispose]()
  }

  /** Null if both servers agree on the script of this seed, else the shortest found on which they do not. */
  async differenceOf(seed: number, length: number): Promise<string | null> {
    const property = fc.asyncProperty(scripts(length), async (script) => {
      const root = `/${randomUUID()}`
      const [expected, actual] = await Promise.all([
        play(script, this.real.port, root),
        play(script, this.#ours.port, root),
      ])
      if (!isDeepStrictEqual(actual, expected)) throw new Error(difference(expected, actual, root))
    })
    const { failed, errorInstance } = await fc.check(property, { seed, numRuns: 1 })
    if (!failed) return null
    return errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  }
}

/** All lines up to the first that differs. */
function difference(expected: readonly string[], actual: readonly string[], root: string): string {
  const at = expected.findIndex((line, i) => line !== actual[i])
  const lines = [
    ...expected.slice(0, at),
    `Apache ZooKeeper:  ${expected[at]}`,
    `in-process server: ${actual[at]}`,
  ]
  return lines.join('\n').replaceAll(root, '')
}
