import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { TestServer } from '../../src/testing/index.ts'
import { freePort } from '../support/free-port.ts'

// A process that is done with its client ends by itself, and no rejection goes unhandled on the way.

test('a process ends by itself after close()', async () => {
  await using server = await TestServer.start()
  expect(await run(server.connectString)).toEqual({ code: 0, output: ['closed', 'left:'] })
})

test('a process ends by itself after a connect that failed', async () => {
  const connectString = `127.0.0.1:${await freePort()}`
  expect(await run(connectString)).toEqual({ code: 0, output: ['TIMEOUT', 'left:'] })
})

async function run(connectString: string) {
  const program = fileURLToPath(new URL('../support/fixtures/use-client.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    ['--unhandled-rejections=strict', '--import', 'tsx', program, connectString],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return { code: code as number, output: output.trim().split('\n') }
}
