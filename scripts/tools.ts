/**
 * Other versions of Node and TypeScript than the ones at hand, from npm. They stay in
 * `node_modules/.cache/zoowire`; one that cannot be had says why.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../', import.meta.url))
const cache = join(root, 'node_modules/.cache/zoowire')

// `require` of ESM works from exactly these versions of 20 and 22 on: see `engines`.
export const nodeVersions = ['20.19.0', '22.12.0', '24']

// Without a network, say so at once; the default is to try again for minutes.
const installation = [
  '--ignore-scripts',
  '--loglevel=error',
  '--prefer-offline',
  '--fetch-retries=0',
]

/** A version of something to check with: where it is, or why it is not here. */
export type Tool = { readonly name: string } & (
  { readonly path: string } | { readonly missing: string }
)

export function ownNode(): Tool {
  return { name: `Node ${process.versions.node}`, path: process.execPath }
}

/** The packages that `npm install node@…` chooses from by a script: here they are taken directly. */
export function nodeOf(version: string): Tool {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const prefix = `${platform}-${process.arch}` === 'darwin-arm64' ? 'node-bin' : 'node'
  const name = `${prefix}-${platform}-${process.arch}`
  const executable = platform === 'win' ? 'bin/node.exe' : 'bin/node'
  return fromNpm('Node', name, version, executable)
}

export function ownTypescript(): Tool {
  const path = join(root, 'node_modules/typescript')
  return { name: `TypeScript ${versionIn(path)}`, path: join(path, 'bin/tsc') }
}

export function typescriptOf(version: string): Tool {
  return fromNpm('TypeScript', 'typescript', version, 'bin/tsc')
}

function fromNpm(title: string, name: string, version: string, file: string): Tool {
  const home = join(cache, `${name}-${version}`)
  const installed = join(home, 'node_modules', name)
  const path = join(installed, file)
  const failure = existsSync(path) ? null : install(`${name}@${version}`, home)
  if (failure !== null) return { name: `${title} ${version}`, missing: failure }
  return { name: `${title} ${versionIn(installed)}`, path }
}

/** The reason why it could not be installed, or null. */
function install(specifier: string, home: string): string | null {
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'package.json'), '{ "private": true }')
  try {
    run('npm', ['install', ...installation, specifier], home)
    return null
  } catch (error) {
    const [reason] = outputOf(error).split('\n')
    return `cannot install ${specifier}: ${reason}`
  }
}

function versionIn(packageFolder: string): string {
  const manifest = readFileSync(join(packageFolder, 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version.replace('v', '')
}

export function run(command: string, args: readonly string[], cwd: string): string {
  const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'pipe']
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio, timeout: 180_000 })
}

/** What a failed program said; its exit code tells nobody anything. */
export function outputOf(error: unknown): string {
  const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
  return (stdout + stderr).trim() || String(error)
}
