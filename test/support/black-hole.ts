import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** How long a dial may take that is neither accepted nor refused; on loopback, others take no time. */
const hangsMs = 300

/**
 * A port that neither accepts nor refuses, as behind a firewall that drops what it does not like: the
 * process that listens there is stuck, and its queue is full. On Linux alone.
 */
export class BlackHole implements AsyncDisposable {
  readonly port: number
  readonly #kill: () => Promise<void>
  readonly #queued: readonly Socket[]

  static async open(): Promise<BlackHole> {
    const program = `
      const listener = require('node:net').createServer()
      listener.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
        require('node:fs').writeSync(1, String(listener.address().port))
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      })`
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [port] = (await once(child.stdout, 'data')) as [Buffer]
    const queued = await fill(Number(port))
    return new BlackHole(Number(port), queued, async () => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    })
  }

  private constructor(port: number, queued: readonly Socket[], kill: () => Promise<void>) {
    this.port = port
    this.#queued = queued
    this.#kill = kill
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#queued) socket.destroy()
    await this.#kill()
  }
}

/** Dials until a dial hangs. */
async function fill(port: number): Promise<Socket[]> {
  const queued: Socket[] = []
  for (;;) {
    const socket = connect({ port, host: '127.0.0.1' })
    queued.push(socket)
    socket.on('error', () => undefined)
    const hangs = new Promise<boolean>((resolve) => setTimeout(() => resolve(true), hangsMs))
    if (await Promise.race([hangs, once(socket, 'connect').then(() => false)])) return queued
  }
}
