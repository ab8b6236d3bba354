import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

/** A server that runs in the foreground: a program of ours, or the first program of a container. */
export interface ServerProcess {
  /** Among the processes of this machine; null if it never ran. */
  readonly pid: number | null
  /** Resolves when it has ended, for whatever reason, and nothing of it is left. */
  readonly exited: Promise<void>
  /** False if it has ended. */
  signal(name: NodeJS.Signals): boolean
}

/** The output goes to a file, not to pipes: it is wanted only after a failure. */
export function spawnLogged(
  [program, ...args]: readonly [string, ...string[]],
  logFile: string,
): ServerProcess {
  const output = openSync(logFile, 'a')
  try {
    const child = spawn(program, args, { detached: true, stdio: ['ignore', output, output] })
    child.unref()
    const exited = new Promise<void>((resolve) => {
      child.once('error', () => resolve()) // it could not be spawned
      child.once('exit', () => resolve())
    })
    return { pid: child.pid ?? null, exited, signal: (name) => child.kill(name) }
  } finally {
    closeSync(output)
  }
}
