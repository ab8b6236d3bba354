import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export interface RunOptions {
  readonly timeoutMs?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a program to its end. A failure's message ends with the last words the program printed. */
export async function runCommand(
  program: string,
  args: readonly string[],
  { timeoutMs = 300_000, env = {} }: RunOptions = {},
): Promise<void> {
  try {
    await execute(program, args, { timeout: timeoutMs, env: { ...process.env, ...env } })
  } catch (error) {
    throw new Error(`\`${program} ${args.join(' ')}\` failed: ${lastWords(error)}`, {
      cause: error,
    })
  }
}

export async function isRunnable(program: string, ...args: string[]): Promise<boolean> {
  return runCommand(program, args, { timeoutMs: 30_000 }).then(
    () => true,
    () => false,
  )
}

function lastWords(error: unknown): string {
  const { stdout = '', stderr = '', message } = error as Partial<Record<string, string>>
  const printed = `${stdout}\n${stderr}`.trim()
  return printed === '' ? String(message) : printed.slice(-600)
}
