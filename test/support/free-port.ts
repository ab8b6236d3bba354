import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A loopback port that nothing listens on, from below the range that outgoing connections take
 * theirs from. Port 0 would give one from inside that range, and a client that keeps dialling a
 * stopped server can then be given that very port and connect to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await isFree(port)) return port
  }
}

export async function isFree(port: number): Promise<boolean> {
  // A client that dials a stopped server may dial this one, and must not be kept waiting.
  const server = createServer((socket) => void socket.destroy())
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
