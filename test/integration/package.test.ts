import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

// What a stranger does: install the package in an empty folder, import it, require it, run it.

const root = fileURLToPath(new URL('../../', import.meta.url))
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'zoowire-package-'))
  const packed = run('npm', ['pack', '--silent', '--pack-destination', folder], root)
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const tarball = join(folder, packed.trim().split('\n').at(-1)!)
  run('npm', ['install', '--offline', '--ignore-scripts', '--silent', tarball], folder)
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const useIt = `
  async function main({ connect }, { TestServer }, { operations }) {
    const server = await TestServer.start()
    const zk = await connect(server.connectString)
    const { path } = await zk.create('/packed')
    await zk.close()
    await server.close()
    console.log(path, operations.create2.code)
  }`

test('R33: the installed package works by import', () => {
  const program = `
    import * as zoowire from 'zoowire'
    import * as testing from 'zoowire/testing'
    import * as protocol from 'zoowire/protocol'
    import 'zoowire/recipes'
    ${useIt}
    await main(zoowire, testing, protocol)`
  writeFileSync(join(folder, 'main.mjs'), program)
  expect(run(process.execPath, ['main.mjs'], folder)).toBe('/packed 15\n')
})

test('R33: the installed package works by require', () => {
  const program = `
    ${useIt}
    main(require('zoowire'), require('zoowire/testing'), require('zoowire/protocol'))`
  writeFileSync(join(folder, 'main.cjs'), program)
  const quiet = ['--disable-warning=ExperimentalWarning', 'main.cjs']
  expect(run(process.execPath, quiet, folder)).toBe('/packed 15\n')
})

test('the installed package depends on nothing and runs nothing at installation', () => {
  const manifest = JSON.parse(
    readFileSync(join(folder, 'node_modules/zoowire/package.json'), 'utf8'),
  ) as { dependencies?: object; scripts: object }
  expect(Object.keys(manifest.dependencies ?? {})).toEqual([])
  expect(Object.keys(manifest.scripts).filter((name) => /install$/.test(name))).toEqual([])
})

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
