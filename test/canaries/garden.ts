/** Copies of the sources, each with one bug in it, and what finds them there. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type Canary } from './canaries.ts'
import { type TestedCanary } from './tested-canaries.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Plants a bug, and lets `find` look for it in the folder that has it. */
export async function plant<T>(canary: Canary, find: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'zoowire-canary-'))
  try {
    for (const part of ['src', 'test', 'package.json', 'tsconfig.json']) {
      await cp(join(root, part), join(folder, part), { recursive: true })
    }
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    const path = join(folder, canary.file)
    await writeFile(path, canary.edits.reduce(edited(canary.file), await readFile(path, 'utf8')))
    return await find(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function edited(file: string) {
  return (source: string, [original, planted]: Canary['edits'][number]) => {
    const pieces = source.split(original)
    if (pieces.length !== 2) throw new Error(`${file} has ${pieces.length - 1} of: ${original}`)
    return pieces.join(planted)
  }
}

/** The first violation that simulated runs print; null if they find none. */
export async function findBySimulation(folder: string, seeds: number): Promise<string | null> {
  const { code, output, errors } = await runNode(folder, [
    ...['--import', 'tsx', 'test/simulation/run.ts'],
    ...['--bail', '--seeds', String(seeds)],
  ])
  if (code === 0) return null
  const lines = output.split('\n')
  const at = lines.findIndex((line) => /^seed \d+:/.test(line))
  if (at === -1) throw new Error(`the runs did not begin: ${errors}`)
  return `${lines[at]!.split(':')[0]!}: ${lines[at + 1]!.trim()}`
}

/** The test that is named, if it fails; null if it passes. */
export async function findByTest(
  folder: string,
  [file, title]: TestedCanary['foundBy'],
): Promise<string | null> {
  const { output, errors } = await runNode(folder, [
    ...['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/canaries/vitest.config.ts'],
    ...['--reporter', 'json', '--testNamePattern', patternOf(title), file],
  ])
  const json = output.split('\n').find((line) => line.startsWith('{"numTotal'))
  if (json === undefined) throw new Error(`the test did not run: ${errors}`)
  const report = JSON.parse(json) as { readonly numPassedTests: number; numFailedTests: number }
  if (report.numFailedTests > 0) return `${file}: ${title}`
  if (report.numPassedTests === 0) throw new Error(`${file} has no test "${title}"`)
  return null
}

/** Any text stands for what is filled in. */
function patternOf(title: string): string {
  return title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/%[sij]/g, '.*')
}

async function runNode(cwd: string, args: readonly string[]) {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  return { code: code as number | null, output, errors }
}
