/**
 * Other people's clients on the in-process server: `npm run test:interop [name …]`.
 *
 * Each is a small program that creates, reads, watches, makes a transaction, takes a lock and goes on
 * after its link was cut. It says `cut` when it wants that, and `ok` for each thing that went well.
 * What cannot be installed here is skipped, with the reason.
 */
import { execFile, spawn } from 'node:child_process'
import { cp, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { TestServer } from '../../src/testing/index.ts'

const run = promisify(execFile)
const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, '../..')
const cache = join(root, 'node_modules/.cache/zoowire/interop')

/** The command that runs it, to which the connect string is added. Rejects if it cannot be installed. */
type Prepare = () => Promise<readonly [command: string, ...args: string[]]>

const programs: Readonly<Record<string, Prepare>> = {
  async kazoo() {
    const venv = join(cache, 'venv')
    await run('python3', ['-m', 'venv', venv])
    await run(join(venv, 'bin/pip'), ['install', '--quiet', 'kazoo==2.10.0'])
    return [join(venv, 'bin/python'), join(here, 'kazoo_client.py')]
  },

  async 'go-zookeeper'() {
    const folder = join(cache, 'go')
    await cp(join(here, 'go'), folder, { recursive: true })
    await run('go', ['mod', 'tidy'], { cwd: folder })
    await run('go', ['build', '-o', 'client', '.'], { cwd: folder })
    return [join(folder, 'client')]
  },

  /** Apache's own client, from the jars that the real server in our tests comes from. */
  async java() {
    const jars = await jarsOf(join(root, 'node_modules/.cache/zoowire'))
    await run('javac', ['-version'])
    return ['java', quiet, '-cp', jars, join(here, 'JavaClient.java')]
  },

  /** It needs one jar more. */
  async zkCli() {
    const jars = await jarsOf(join(root, 'node_modules/.cache/zoowire'))
    const artifact = '-Dartifact=commons-cli:commons-cli:1.5.0'
    await run('mvn', ['-q', '-B', 'dependency:copy', artifact, `-DoutputDirectory=${cache}`])
    const classPath = `${jars}:${join(cache, 'commons-cli-1.5.0.jar')}`
    return [process.execPath, '--import', 'tsx', join(here, 'zk-cli.ts'), classPath]
  },
}

const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=off'

async function jarsOf(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => [])
  const home = names.find((name) => name.startsWith('maven-default'))
  if (home === undefined) throw new Error('no ZooKeeper from Maven: run the tests once')
  const files = await readdir(join(folder, home), { recursive: true })
  const jars = files.filter((file) => file.endsWith('.jar'))
  if (jars.length === 0) throw new Error(`no jars in ${home}`)
  return jars.map((jar) => join(folder, home, jar)).join(':')
}

/** How many things went well. Rejects if one did not. */
async function perform([command, ...args]: readonly string[]): Promise<number> {
  await using server = await TestServer.start({ maxSessionTimeout: 5_000 }) // zkCli leaves its session behind
  const child = spawn(command!, [...args, server.connectString], {
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
  await mkdir(cache, { recursive: true })
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(programs)
  const totals = { passed: 0, failed: 0, skipped: 0 }
  for (const name of names) {
    const prepare = programs[name]
    if (prepare === undefined)
      throw new Error(`unknown: ${name}. Known: ${String(Object.keys(programs))}`)
    console.log(name)
    let command: readonly string[]
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
