/** Programs of the examples that run in processes of their own, so that they can be killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export class Program {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  /** Starts `name.ts` of this folder. */
  constructor(name: string, ...args: readonly string[]) {
    const program = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
    this.#child = spawn(process.execPath, [...process.execArgv, program, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines: Interface = createInterface(this.#child.stdout!)
    this.#lines = lines[Symbol.asyncIterator]()
  }

  /** The next line that the program prints. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('the program has ended')
    return value
  }

  /** Resolves when the program has ended by itself. */
  async end(): Promise<void> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
    if (this.#child.exitCode !== 0) throw new Error('the program has failed')
  }

  /** As the power switch does it: nothing is tidied up. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
