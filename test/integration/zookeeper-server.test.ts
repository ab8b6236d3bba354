import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { fourLetterWord } from '../support/four-letter-word.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

describeReal('the shared server', (shared) => {
  test('answers with the version that it was announced with', async () => {
    expect(await fourLetterWord(shared.port, 'srvr')).toContain(
      `Zookeeper version: ${shared.version}`,
    )
  })
})

describeReal('a server of its own', () => {
  test('has the tick time and the further configuration that it was started with', async () => {
    await using server = await ZooKeeperServer.start({
      tickTimeMs: 200,
      config: { maxSessionTimeout: 5_000 },
    })

    const conf = await server.fourLetterWord('conf')

    expect(conf).toContain('tickTime=200')
    expect(conf).toContain('minSessionTimeout=400')
    expect(conf).toContain('maxSessionTimeout=5000')
  })

  test('is silent while paused, and answers again once resumed', async () => {
    await using server = await ZooKeeperServer.start()

    server.pause()
    await expect(server.fourLetterWord('ruok')).rejects.toThrow('no answer')

    server.resume()
    expect(await server.fourLetterWord('ruok')).toBe('imok')
  })

  test('keeps port and data over a restart, and is unreachable in between', async () => {
    await using server = await ZooKeeperServer.start()
    const { port } = server
    const data = join(server.folder, 'data', 'version-2')
    const before = readdirSync(data)

    await server.kill()
    await expect(server.fourLetterWord('ruok')).rejects.toThrow('ECONNREFUSED')
    await server.restart()

    expect(server.port).toBe(port)
    expect(await server.fourLetterWord('ruok')).toBe('imok')
    expect(readdirSync(data)).toEqual(expect.arrayContaining(before))
  })

  test('can be stopped while it is paused', async () => {
    await using server = await ZooKeeperServer.start()
    server.pause()
    await server.stop()
    expect(server.isRunning).toBe(false)
  })

  test('that cannot start says why', async () => {
    const broken = ZooKeeperServer.start({ config: { clientPort: 'none' } })
    await expect(broken).rejects.toThrow(/ended at once[^]*NumberFormatException/)
  })

  test('refuses a port that somebody else holds', async () => {
    await using running = await ZooKeeperServer.start()
    const second = ZooKeeperServer.start({ port: running.port })
    await expect(second).rejects.toThrow(`port ${running.port} is taken`)
  })

  test('leaves nothing once disposed of', async () => {
    const server = await ZooKeeperServer.start()
    await server[Symbol.asyncDispose]()
    expect(existsSync(server.folder)).toBe(false)
    await expect(server.fourLetterWord('ruok')).rejects.toThrow('ECONNREFUSED')
  })

  test('leaves nothing when the process that started it is killed', async () => {
    const owner = abandonedOwner()
    const { port, folder } = await announcement(owner)
    expect(await fourLetterWord(port, 'ruok')).toBe('imok')
    expect(existsSync(folder)).toBe(true)

    owner.kill('SIGKILL')
    await once(owner, 'exit')

    await gone(folder)
    await refused(port)
  })
})

function abandonedOwner(): ChildProcess {
  const script = fileURLToPath(new URL('../support/fixtures/abandon-server.ts', import.meta.url))
  return spawn(process.execPath, ['--import', 'tsx', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function announcement(owner: ChildProcess): Promise<{ port: number; folder: string }> {
  let line = ''
  for await (const text of owner.stdout ?? []) {
    line += String(text)
    if (line.includes('\n')) break
  }
  return JSON.parse(line) as { port: number; folder: string }
}

/** Whoever removes the folder is no child of ours, so nothing tells us but the file system. */
async function gone(folder: string): Promise<void> {
  while (existsSync(folder)) await delay(20)
}

/** A process that is killed keeps its port for as long as the kernel needs to take it apart. */
async function refused(port: number): Promise<void> {
  for (;;) {
    const answer = await fourLetterWord(port, 'ruok').catch(String)
    if (answer.includes('ECONNREFUSED')) return
    await delay(20)
  }
}
