import { once } from 'node:events'
import { type AddressInfo, connect as dial, createServer, type Server, type Socket } from 'node:net'

/** Where a connection breaks, whatever its bytes mean. */
export interface Break {
  readonly direction: 'to-server' | 'to-client'
  /** So many bytes pass in this direction, */
  readonly bytes: number
  /** and then the connection ends, is reset, or carries nothing more this way and tells nobody. */
  readonly then: 'end' | 'reset' | 'stall'
}

/** Wires to one server that break behind any byte one likes, and at several ports, as hosts to choose from. */
export class ByteProxy implements AsyncDisposable {
  /** Decides about each connection; null lets it live. */
  breakAt: (nth: number) => Break | null = () => null
  /** The port of each connection so far. */
  readonly dialled: number[] = []
  readonly #listeners: readonly Server[]
  readonly #sockets = new Set<Socket>()
  #isMended = false

  static async start(target: number, ports = 2): Promise<ByteProxy> {
    const proxy = new ByteProxy(target, ports)
    for (const listener of proxy.#listeners) {
      listener.listen(0, '127.0.0.1')
      await once(listener, 'listening')
    }
    return proxy
  }

  private constructor(target: number, ports: number) {
    this.#listeners = Array.from({ length: ports }, () =>
      createServer({ noDelay: true }, (client) => {
        this.#accept(client, dial({ port: target, host: '127.0.0.1', noDelay: true }))
      }),
    )
  }

  get ports(): readonly number[] {
    return this.#listeners.map((listener) => (listener.address() as AddressInfo).port)
  }

  /** Nothing breaks any more, those that live included. */
  mend(): void {
    this.breakAt = () => null
    this.#isMended = true
  }

  /** Ends all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    await Promise.all(
      this.#listeners.map((listener) => new Promise((resolve) => listener.close(resolve))),
    )
  }

  #accept(client: Socket, server: Socket): void {
    const plan = this.breakAt(this.dialled.length)
    this.dialled.push(client.localPort!)
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroySoon()
      })
    }
    const breakOff = () => {
      server.destroySoon()
      if (plan?.then === 'reset') client.resetAndDestroy()
      else client.destroySoon()
    }
    for (const [from, to, direction] of [
      [client, server, 'to-server'],
      [server, client, 'to-client'],
    ] as const) {
      let left = plan?.direction === direction ? plan.bytes : Infinity
      const passOn = (chunk: Buffer): void => {
        if (this.#isMended) left = Infinity
        to.write(chunk.subarray(0, left))
        left = Math.max(0, left - chunk.length)
        if (left === 0 && plan?.then !== 'stall') breakOff()
      }
      if (left === 0) passOn(Buffer.alloc(0))
      from.on('data', passOn)
    }
  }
}
