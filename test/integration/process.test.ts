import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { TestServer } from '../../src/testing/index.ts'
import { freePort } from '../support/free-port.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { handshakeOf, reply } from '../support/session-harness.ts'

// A process that is done with its client ends by itself, and no rejection goes unhandled on the way.

test('a process ends by itself after close()', async () => {
  await using server = await TestServer.start()
  expect(await run(server.connectString)).toEqual({ code: 0, output: ['closed', 'left:'] })
})

test('a process ends by itself after close(), if all of it was in memory', async () => {
  expect(await run('', { program: 'use-memory-link.ts' })).toEqual({
    code: 0,
    output: ['closed', 'left:'],
  })
})

test('a process ends by itself after a connect that failed', async () => {
  const connectString = `127.0.0.1:${await freePort()}`
  expect(await run(connectString)).toEqual({ code: 0, output: ['TIMEOUT', 'left:'] })
})

test('J3: a client that was told so does not hold the process', async () => {
  await using server = await TestServer.start()
  expect(await run(server.connectString, { program: 'unref.ts' })).toEqual({
    code: 0,
    output: ['idle'],
  })
  expect(server.sessions).toHaveLength(1) // it was not closed
})

// Each connection ends by another broken frame, and the last one serves: the program has no listener
// at all, so that whatever were thrown, emitted or rejected would end it with another code.
test('R6: a process outlives every broken frame, and is told of each', async () => {
  const frames = [
    Buffer.from('ffffffff', 'hex'),
    Buffer.from('7fffffff'.padEnd(64, '0'), 'hex'),
    Buffer.from('HTTP/1.1 503 Service Unavailable\r\n\r\n'),
    Buffer.alloc(4),
    Buffer.alloc(19, 0xff).fill(0, 0, 3).fill(15, 3, 4),
    reply({ xid: 99, zxid: 1n, err: 0 }),
    reply({ xid: -7, zxid: 1n, err: 0 }),
    reply({ xid: -1, zxid: 1n, err: 0 }), // an event without one
    reply({ xid: 1, zxid: 1n, err: 0 }), // a setData without a Stat
    handshakeOf(),
  ]
  await using server = await ScriptedServer.start(async (peer, nth) => {
    await peer.handshake()
    const frame = frames[nth >> 1]
    if (frame === undefined) return peer.serve()
    const { xid } = await peer.next()
    const bytes = Buffer.from(frame)
    if (frame === frames[8]) bytes.writeInt32BE(xid, 4)
    if (nth % 2 === 0) peer.send(bytes)
    else for (const byte of bytes) peer.send(Buffer.of(byte))
    return peer.untilGone()
  })
  const calls = 2 * frames.length + 1
  const { code, output } = await run(server.connectString, { program: 'survive.ts' }, String(calls))
  expect(code).toBe(0)
  expect(JSON.parse(output[0]!)).toEqual({
    'CONNECTION_LOSS unknown': 2 * (frames.length - 1),
    'PROTOCOL_ERROR applied': 2,
    'NO_NODE not-applied': 1,
  })
})

test('J7: a process with little memory keeps its session, its lock and its answers', async () => {
  await using server = await TestServer.start({ logEntriesMax: 100 })
  const { code, output } = await run(
    server.connectString,
    { program: 'small-heap.ts', node: ['--max-old-space-size=64'] },
    '50000',
  )
  expect(code).toBe(0)
  const whole = { succeeded: 50_000, wrong: 0, errors: [], isHeld: true, isSame: true }
  expect(JSON.parse(output[0]!)).toEqual(whole)
})

test('J8: a thread that is ended in the midst of it leaves the clients of others alone', async () => {
  await using server = await TestServer.start()
  const { code, output } = await run(server.connectString, { program: 'workers.ts' })
  expect(code).toBe(0)
  const whole = { wrong: 0, isSame: true }
  expect(JSON.parse(output[0]!)).toEqual([
    { ...whole, name: 'one' },
    { ...whole, name: 'other' },
  ])
  // Its connection went with it, and its session by its timeout.
  await server.until(() => server.sessions.length === 0)
})

interface Program {
  readonly program?: string
  /** Further options of Node. */
  readonly node?: readonly string[]
}

async function run(
  connectString: string,
  { program = 'use-client.ts', node = [] }: Program = {},
  ...rest: string[]
) {
  const path = fileURLToPath(new URL(`../support/fixtures/${program}`, import.meta.url))
  const child = spawn(
    process.execPath,
    ['--unhandled-rejections=strict', ...node, '--import', 'tsx', path, connectString, ...rest],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return { code: code as number, output: output.trim().split('\n') }
}
