/**
 * Other people's clients on the in-process server: `npm run test:interop [name …]`.
 *
 * Each is a small program that creates, reads, watches, makes a transaction, takes a lock and goes on
 * after its link was cut. It says `cut` when it wants that, and `ok` for each thing that went well.
 * What cannot be installed here is skipped, with the reason.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { TestServer } from '../../src/testing/index.ts'
import {
  type Command,
  goProgram,
  javaProgram,
  kazooProgram,
  zkCliClassPath,
} from '../support/foreign-clients.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, '../..')

/** The command that runs it, to which the connect string is added. Rejects if it cannot be installed. */
const programs: Readonly<Record<string, () => Promise<Command>>> = {
  kazoo: () => kazooProgram(join(here, 'kazoo_client.py')),
  'go-zookeeper': () => goProgram(join(here, 'go'), 'interop'),
  java: () => javaProgram(join(here, 'JavaClient.java')),
  zkCli: async () => {
    const program = join(here, 'zk-cli.ts')
    return [process.execPath, '--import', 'tsx', program, await zkCliClassPath()]
  },
}

/** How many things went well. Rejects if one did not. */
async function perform([command, ...args]: Command): Promise<number> {
  await using server = await TestServer.start({ maxSessionTimeout: 5_000 }) // zkCli leaves its session behind
  const child = spawn(command, [...args, server.connectString], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: root,
  })
  let count = 0
  const timer = setTimeout(() => child.kill(), 60_000)
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  for await (const line of createInterface(child.stdout)) {
    if (line === 'cut') server.cut()
    else if (line.startsWith('ok ')) count++
    else continue
    console.log(`  ${line}`)
  }
  const code = await ended
  clearTimeout(timer)
  if (code !== 0 || count === 0) throw new Error(`ended with ${String(code)}`)
  await server.until(() => server.sessions.length === 0)
  return count
}

async function main(): Promise<void> {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(programs)
  const totals = { passed: 0, failed: 0, skipped: 0 }
  for (const name of names) {
    const prepare = programs[name]
    if (prepare === undefined)
      throw new Error(`unknown: ${name}. Known: ${String(Object.keys(programs))}`)
    console.log(name)
    let command: Command
    try {
      command = await prepare()
    } catch (error) {
      console.log(`  skipped: ${firstLineOf(error)}`)
      totals.skipped++
      continue
    }
    try {
      totals.passed += await perform(command)
    } catch (error) {
      console.log(`  failed: ${firstLineOf(error)}`)
      totals.failed++
    }
  }
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
  process.exitCode = totals.failed === 0 ? 0 : 1
}

function firstLineOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!
}

await main()
