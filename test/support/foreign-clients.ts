/**
 * Clients in other languages: each function makes a program that uses one ready to run, and rejects if that
 * cannot be done here.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** A command, to which the program's own arguments are added. */
export type Command = readonly [command: string, ...args: string[]]

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../../node_modules/.cache/zoowire', import.meta.url))
const programs = join(cache, 'foreign')

/** Keeps Apache's client quiet. */
const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=off'

/** A script that imports kazoo. */
export async function kazooProgram(script: string): Promise<Command> {
  const venv = join(programs, 'venv')
  await run('python3', ['-m', 'venv', venv])
  await run(join(venv, 'bin/pip'), ['install', '--quiet', 'kazoo==2.10.0'])
  return [join(venv, 'bin/python'), script]
}

/** A folder with a `go.mod` that requires go-zookeeper. */
export async function goProgram(folder: string, name: string): Promise<Command> {
  const copy = join(programs, name)
  await cp(folder, copy, { recursive: true })
  await run('go', ['mod', 'tidy'], { cwd: copy })
  await run('go', ['build', '-o', 'client', '.'], { cwd: copy })
  return [join(copy, 'client')]
}

/** A class in a file of its own. */
export async function javaProgram(file: string): Promise<Command> {
  const jars = await zooKeeperJars()
  const name = basename(file, '.java')
  const classes = join(programs, name)
  await run('javac', ['-d', classes, '-cp', jars, file])
  return ['java', quiet, '-cp', `${classes}:${jars}`, name]
}

/** The class path of Apache's shell, which needs one jar more. */
export async function zkCliClassPath(): Promise<string> {
  const jars = await zooKeeperJars()
  await mkdir(programs, { recursive: true })
  const artifact = '-Dartifact=commons-cli:commons-cli:1.5.0'
  await run('mvn', ['-q', '-B', 'dependency:copy', artifact, `-DoutputDirectory=${programs}`])
  return `${jars}:${join(programs, 'commons-cli-1.5.0.jar')}`
}

/** Those that the real server in our tests comes from. */
async function zooKeeperJars(): Promise<string> {
  const names = await readdir(cache).catch(() => [])
  const home = names.find((name) => name.startsWith('maven-default'))
  if (home === undefined) throw new Error('no ZooKeeper from Maven: run the tests once')
  const files = await readdir(join(cache, home), { recursive: true })
  const jars = files.filter((file) => file.endsWith('.jar'))
  if (jars.length === 0) throw new Error(`no jars in ${home}`)
  return jars.map((jar) => join(cache, home, jar)).join(':')
}
