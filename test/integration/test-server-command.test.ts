import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { openAt } from '../support/servers.ts'

const main = fileURLToPath(new URL('../../src/testing/main.ts', import.meta.url))

function start(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
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

test.each([
  ['--prot', /Unknown option '--prot'/],
  ['--port=x', /--port needs a number, not x/],
])('zoowire-test-server refuses %s', async (option, message) => {
  const child = start(option)
  expect(await firstLine(child.stderr)).toMatch(message)
  expect(await once(child, 'exit')).toEqual([2, null])
})
