import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('watchdog.sh', import.meta.url))

/** Guards a temporary folder and the server that works in it; see watchdog.sh. */
export class Watchdog {
  readonly #shell: ChildProcess

  constructor(folder: string) {
    // Detached: a signal for the terminal's process group is not for the watchdog.
    this.#shell = spawn('/bin/sh', [script, folder], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#shell.stdin?.on('error', () => {}) // somebody killed it: nothing is left to tell it
    this.#shell.unref() // a script that forgets to dispose of its server may still end
  }

  /** Call it in the turn of the spawn, so that no moment is left in which the server is alone. */
  guard(pid: number | null): void {
    this.#shell.stdin?.write(`${pid ?? ''}\n`)
  }

  /** Kills the guarded server, if one runs, and removes the folder. */
  async finish(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return
    this.#shell.ref()
    this.#shell.stdin?.end()
    await once(this.#shell, 'exit')
  }
}
