/**
 * Checks the packed package as its users meet it: on several versions of Node, under several versions
 * of TypeScript, and bundled. Prints a line per cell, and ends with 1 if one of them failed.
 *
 * `npm run test:package`; with `-- --quick` only on what is installed already. Other versions come
 * from npm, and stay in `node_modules/.cache/zoowire`; a cell whose version cannot be had is skipped.
 */
import { build } from 'esbuild'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  nodeOf,
  nodeVersions,
  outputOf,
  ownNode,
  ownTypescript,
  root,
  run,
  type Tool,
  typescriptOf,
} from './tools.ts'

const quick = process.argv.includes('--quick')

const typescriptVersions = ['5.9', '6', '7']

/** Each program is `consumer.ts`, made into what users run. */
const programs = { import: 'import.mjs', require: 'require.cjs', bundle: 'bundle.mjs' }
const printed = 'NodeCreated:/watched seen /made@1 true/7/nobody/0 15 not-applied\n'

const resolutions = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
}

/** Of the output of a cell that failed. */
const linesMax = 12

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

/** The beginning is enough: what a compiler says once, it says of every file. */
function indent(output: string): string {
  const lines = output.split('\n')
  const shown = lines.slice(0, linesMax).map((line) => `      ${line}`)
  if (lines.length > linesMax) shown.push(`      … and ${lines.length - linesMax} more lines`)
  return shown.join('\n')
}
