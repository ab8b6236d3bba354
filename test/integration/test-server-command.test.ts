import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { Authority } from '../support/certificates.ts'
import { fourLetterWord } from '../support/four-letter-word.ts'
import { errorOf, openAt } from '../support/servers.ts'

const main = fileURLToPath(new URL('../../src/testing/main.ts', import.meta.url))

function start(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'zoowire-command-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

async function firstLine(stream: ChildProcess['stdout']): Promise<string> {
  const [line] = (await once(createInterface(stream!), 'line')) as [string]
  return line
}

test('zoowire-test-server prints where it listens, and ends when it is told to', async () => {
  const child = start('--tick-time', '100', '--max-session-timeout', '3000')
  const zk = await openAt(await firstLine(child.stdout), { sessionTimeout: 9_000 })
  expect(zk.session.timeout).toBe(3000)
  expect((await zk.create('/a')).path).toBe('/a')
  await zk.close()
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('zoowire-test-server has the version, the znodes, the limits and the super user it is told', async () => {
  const limits = '/zookeeper/quota/app/zookeeper_limits'
  const folder = await folderWith({ 'tree.json': '{ "/app": "x", "/app/a": null }' })
  const child = start(
    ...['--profile', '3.8', '--tree', join(folder, 'tree.json')],
    ...['--enforce-quota', '--super', 'root:toor', '--container-check', '50'],
  )
  const connectString = await firstLine(child.stdout)
  const zk = await openAt(connectString)
  const acl = [{ perms: 1, id: { scheme: 'digest', id: 'somebody:else' } }]
  expect(await fourLetterWord(Number(connectString.split(':')[1]), 'srvr')).toContain('3.8.4')
  await zk.create('/app/hidden', 'z', { acl })
  await zk.create(limits, 'count=-1,bytes=-1=;countHardLimit=4', { parents: 'persistent' })
  await zk.create('/zookeeper/quota/app/zookeeper_stats', '')
  await zk.create('/app/last', '')
  expect(await errorOf(zk.create('/app/more', ''))).toMatchObject({ code: 'QUOTA_EXCEEDED' })

  const superUser = await openAt(connectString, { auth: [{ scheme: 'digest', auth: 'root:toor' }] })
  expect(String((await superUser.getData('/app/hidden')).data)).toBe('z')
  await zk.create('/container', '', { mode: 'container' })
  await zk.create('/container/child', '')
  const gone = new Promise((resolve) => void zk.exists('/container', { watch: resolve }))
  await zk.delete('/container/child')
  expect(await gone).toMatchObject({ type: 'NodeDeleted' })
})

test('zoowire-test-server speaks TLS with clients that its authority knows', async () => {
  const authority = await Authority.create()
  const server = await authority.issue({ hosts: ['127.0.0.1'] })
  const client = await authority.issue({ subject: 'CN=client' })
  const folder = await folderWith({ ca: authority.cert, cert: server.cert, key: server.key })
  const file = (name: string) => [`--tls-${name}`, join(folder, name)]
  const connectString = await firstLine(
    start(...file('ca'), ...file('cert'), ...file('key')).stdout,
  )
  expect(connectString).toMatch(/^zks:/)
  const zk = await openAt(connectString, { tls: { ca: authority.cert, ...client } })
  expect((await zk.whoAmI()).map(({ authScheme }) => authScheme)).toContain('x509')
})

test('zoowire-test-server starts several members', async () => {
  const child = start('--members', '3')
  const connectString = await firstLine(child.stdout)
  expect(connectString.split(',')).toHaveLength(3)
  await openAt(connectString)
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

test.each([
  ['--profile=2', /--profile is one of 3.5, .*, not 2/],
  ['--tls-cert=/x', /TLS needs --tls-cert and --tls-key/],
  ['--tree=/nowhere', /nowhere/],
  ['--prot', /Unknown option '--prot'/],
  ['--port=x', /--port needs a number, not x/],
])('zoowire-test-server refuses %s', async (option, message) => {
  const child = start(option)
  expect(await firstLine(child.stderr)).toMatch(message)
  expect(await once(child, 'exit')).toEqual([2, null])
})
