/**
 * Plants each bug of `canaries.ts` in a copy of the sources and lets simulated runs look for it.
 *
 *     npm run test:canaries -- --seeds 200
 */
import { Command } from 'commander'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type Canary, canaries } from './canaries.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const options = new Command()
  .name('test:canaries')
  .option('--seeds <count>', 'runs until a bug counts as not found', Number, 200)
  .option('--only <words>', 'bugs whose name contains these words', '')
  .parse()
  .opts<{ seeds: number; only: string }>()

/** The sources with one bug in them, in a folder of their own. */
async function plant({ file, edits }: Canary): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'zoowire-canary-'))
  for (const part of ['src', 'test/simulation', 'package.json', 'tsconfig.json']) {
    await cp(join(root, part), join(folder, part), { recursive: true })
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const path = join(folder, file)
  await writeFile(path, edits.reduce(edited(file), await readFile(path, 'utf8')))
  return folder
}

function edited(file: string) {
  return (source: string, [original, planted]: Canary['edits'][number]) => {
    const pieces = source.split(original)
    if (pieces.length !== 2) throw new Error(`${file} has ${pieces.length - 1} of: ${original}`)
    return pieces.join(planted)
  }
}

/** The first violation that the runs print; null if they find none. */
async function find(folder: string): Promise<string | null> {
  const args = [
    '--import',
    'tsx',
    'test/simulation/run.ts',
    '--bail',
    '--seeds',
    `${options.seeds}`,
  ]
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  if (code === 0) return null
  const lines = output.split('\n')
  const at = lines.findIndex((line) => /^seed \d+:/.test(line))
  if (at === -1) throw new Error(`the runs did not begin: ${errors}`)
  return `${lines[at]!.split(':')[0]!}: ${lines[at + 1]!.trim()}`
}

async function release(canary: Canary): Promise<string | null> {
  const folder = await plant(canary)
  try {
    return await find(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

let missed = 0
const chosen = canaries.filter(({ name }) => name.includes(options.only))
for (const canary of chosen) {
  const found = await release(canary)
  if (found === null) missed++
  console.log(`${canary.name}\n    ${found ?? `NOT FOUND in ${options.seeds} runs`}`)
}
console.log(`${chosen.length - missed} passed, ${missed} failed, 0 skipped`)
process.exitCode = missed === 0 ? 0 : 1
