/**
 * Checks the packed package as its users meet it: on several versions of Node, under several versions
 * of TypeScript, and bundled. Prints a line per cell, and ends with 1 if one of them failed.
 *
 * `npm run test:package`; with `-- --quick` only on what is installed already. Other versions come
 * from npm, and stay in `node_modules/.cache/zoowire`; a cell whose version cannot be had is skipped.
 */
import { build } from 'esbuild'
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
const cache = join(root, 'node_modules/.cache/zoowire')
const quick = process.argv.includes('--quick')

// `require` of ESM works from exactly these versions of 20 and 22 on: see `engines`.
const nodeVersions = ['20.19.0', '22.12.0', '24']
const typescriptVersions = ['5.9', '6', '7']

// Without a network, say so at once; the default is to try again for minutes.
const installation = [
  '--ignore-scripts',
  '--loglevel=error',
  '--prefer-offline',
  '--fetch-retries=0',
]

/** Each program is `consumer.ts`, made into what users run. */
const programs = { import: 'import.mjs', require: 'require.cjs', bundle: 'bundle.mjs' }
const printed = 'NodeCreated:/watched seen /made@1 true/7/nobody/0 15 not-applied\n'

const resolutions = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
}

/** Of the output of a cell that failed. */
const linesMax = 12

/** A version of something to check with: where it is, or why it is not here. */
type Tool = { readonly name: string } & ({ readonly path: string } | { readonly missing: string })

const totals = { passed: 0, failed: 0, skipped: 0 }
const folder = mkdtempSync(join(tmpdir(), 'zoowire-matrix-'))
try {
  installPackage()
  await makePrograms()
  const nodes = quick ? [ownNode()] : nodeVersions.map(nodeOf)
  const compilers = quick ? [ownTypescript()] : typescriptVersions.map(typescriptOf)
  for (const node of nodes) checkNode(node)
  for (const compiler of compilers) checkTypes(compiler)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = totals.failed > 0 ? 1 : 0

/** Packed, and installed in an empty folder, beside the one thing that users of types must have. */
function installPackage(): void {
  const packed = run('npm', ['pack', '--silent', '--pack-destination', folder], root)
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const tarball = join(folder, packed.trim().split('\n').at(-1)!)
  run('npm', ['install', '--offline', '--ignore-scripts', '--silent', tarball], folder)
  mkdirSync(join(folder, 'node_modules/@types'))
  symlinkSync(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'))
}

async function makePrograms(): Promise<void> {
  const source = join(root, 'test/package/consumer.ts')
  copyFileSync(source, join(folder, 'consumer.ts'))
  copyFileSync(source, join(folder, 'consumer-in-commonjs.cts'))
  const make = (program: keyof typeof programs, options: object) =>
    build({
      entryPoints: [join(folder, 'consumer.ts')],
      outfile: join(folder, programs[program]),
      platform: 'node',
      ...options,
    })
  await make('import', { format: 'esm' })
  await make('require', { format: 'cjs' })
  await make('bundle', { format: 'esm', bundle: true, minify: true })
}

function checkNode(node: Tool): void {
  for (const [how, program] of Object.entries(programs)) {
    check(node, how, (path) => {
      const output = run(path, ['--disable-warning=ExperimentalWarning', program], folder)
      if (output !== printed) throw new Error(`printed ${output}instead of ${printed}`)
    })
  }
}

function checkTypes(compiler: Tool): void {
  for (const [resolution, options] of Object.entries(resolutions)) {
    check(compiler, resolution, (path) => {
      // No `types`: from TypeScript 6 on, only what a declaration asks for is there.
      const compilerOptions = {
        target: 'es2022',
        lib: ['es2022'],
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
        ...options,
      }
      const files = ['consumer.ts', 'consumer-in-commonjs.cts']
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
      run(process.execPath, [path, '-p', folder], folder)
    })
  }
}

/** One cell of the matrix. */
function check(tool: Tool, what: string, cell: (path: string) => void): void {
  const label = `${tool.name.padEnd(18)} ${what.padEnd(9)}`
  if ('missing' in tool) {
    totals.skipped++
    console.log(`skip  ${label} ${tool.missing}`)
    return
  }
  const start = performance.now()
  try {
    cell(tool.path)
    totals.passed++
    console.log(`ok    ${label} ${Math.round(performance.now() - start)} ms`)
  } catch (error) {
    totals.failed++
    console.log(`FAIL  ${label}\n${indent(outputOf(error))}`)
  }
}

function ownNode(): Tool {
  return { name: `Node ${process.versions.node}`, path: process.execPath }
}

/** The packages that `npm install node@…` chooses from by a script: here they are taken directly. */
function nodeOf(version: string): Tool {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const prefix = `${platform}-${process.arch}` === 'darwin-arm64' ? 'node-bin' : 'node'
  const name = `${prefix}-${platform}-${process.arch}`
  const executable = platform === 'win' ? 'bin/node.exe' : 'bin/node'
  return fromNpm('Node', name, version, executable)
}

function ownTypescript(): Tool {
  const path = join(root, 'node_modules/typescript')
  return { name: `TypeScript ${versionIn(path)}`, path: join(path, 'bin/tsc') }
}

function typescriptOf(version: string): Tool {
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

function run(command: string, args: readonly string[], cwd: string): string {
  const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'pipe']
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio, timeout: 180_000 })
}

/** What a failed program said; its exit code tells nobody anything. */
function outputOf(error: unknown): string {
  const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
  return (stdout + stderr).trim() || String(error)
}

/** The beginning is enough: what a compiler says once, it says of every file. */
function indent(output: string): string {
  const lines = output.split('\n')
  const shown = lines.slice(0, linesMax).map((line) => `      ${line}`)
  if (lines.length > linesMax) shown.push(`      … and ${lines.length - linesMax} more lines`)
  return shown.join('\n')
}
