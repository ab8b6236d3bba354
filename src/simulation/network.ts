/**
 * Connections in virtual time: in order, but late and in slices, as TCP promises no more; and all that
 * can go wrong with them, at the command of whoever plans the faults.
 *
 * Memory is handled as strictly as the contract of `Transport` and `Link` allows. A write that was
 * not taken at once is copied when it leaves, and what was read is overwritten as soon as the reader
 * returns: a client that reuses or keeps what it may not, goes wrong here and not at its users'.
 */
import { type Link, type Target, type Transport } from '../session/runtime.ts'
import { type Wire } from '../testing/link.ts'
import { type VirtualClock } from './clock.ts'
import { type Prng } from '../testing/prng.ts'

export interface NetworkOptions {
  /** What a chunk takes at most to arrive; at least a tenth of it. */
  readonly latencyMsMax: number
  /** How likely a chunk arrives in two pieces. */
  readonly sliceChance: number
  /** How likely a write is not taken at once. */
  readonly slowWriteChance: number
}

/** Is told of everything that arrives anywhere, so that two runs can be compared. */
export type Trace = (what: string, bytes: Uint8Array | null) => void

/** What a host makes of a connection. */
export interface ServerLink {
  handleBytes(chunk: Buffer): void
  handleClosed(): void
}

/** Where connections can go to. */
export class Host {
  readonly address: string
  readonly accept: (wire: Wire) => ServerLink
  /** Otherwise dials are refused. */
  isUp = true
  /** Dials are neither accepted nor refused. */
  isSilent = false

  constructor(address: string, accept: (wire: Wire) => ServerLink) {
    this.address = address
    this.accept = accept
  }
}

export class Network {
  readonly hosts = new Map<string, Host>()
  /** Clients whose dials are neither accepted nor refused, by any host. */
  readonly isolated = new Set<number>()
  /** Open or opening, oldest first. */
  readonly connections = new Set<Connection>()
  readonly clock: VirtualClock
  readonly dice: Prng
  readonly options: NetworkOptions
  readonly trace: Trace
  /** All clients of the process read into the same memory. */
  readonly readBuffer = Buffer.alloc(64 * 1024)
  #dialled = 0

  constructor(clock: VirtualClock, dice: Prng, trace: Trace, options: NetworkOptions) {
    this.clock = clock
    this.dice = dice
    this.trace = trace
    this.options = options
  }

  addHost(address: string, accept: (wire: Wire) => ServerLink): Host {
    const host = new Host(address, accept)
    this.hosts.set(address, host)
    return host
  }

  /** @param client a number that tells the clients apart. */
  dial({ address }: Target, link: Link, client: number): Transport {
    const host = this.hosts.get(address)
    if (host === undefined) throw new Error(`there is no host ${address}`)
    const connection = new Connection(this, host, link, client, ++this.#dialled)
    connection.open()
    return connection.client
  }

  /** Cuts a client off for so long: nothing reaches it, and nobody is told. */
  isolate(client: number, ms: number): void {
    this.isolated.add(client)
    for (const connection of [...this.connections]) {
      if (connection.clientNumber === client) connection.silence()
    }
    this.clock.timer(this.clock.nowMs() + ms, () => this.isolated.delete(client))
  }

  latencyMs(): number {
    return (0.1 + 0.9 * this.dice.next()) * this.options.latencyMsMax
  }
}

/** One connection: a client's end, a server's end, and a pipe each way. */
export class Connection {
  readonly client: ClientEnd
  readonly server: ServerEnd
  readonly toServer: Pipe
  readonly toClient: Pipe
  readonly host: Host
  readonly clientNumber: number
  readonly #name: string
  readonly #network: Network

  constructor(network: Network, host: Host, link: Link, clientNumber: number, number: number) {
    this.#network = network
    this.host = host
    this.clientNumber = clientNumber
    this.#name = `#${number}`
    this.client = new ClientEnd(this, network, link)
    this.server = new ServerEnd(this)
    this.toServer = new Pipe(network, (bytes) => {
      network.trace(`${this.#name} >`, bytes)
      this.server.receive(bytes)
    })
    this.toClient = new Pipe(network, (bytes) => {
      network.trace(`${this.#name} <`, bytes)
      this.client.receive(bytes)
    })
    network.connections.add(this)
  }

  open(): void {
    this.toServer.then(() => {
      const isIsolated = this.#network.isolated.has(this.clientNumber)
      if (this.host.isSilent || isIsolated || this.client.isClosed) return
      if (!this.host.isUp) {
        this.client.close(new Error(`connect ECONNREFUSED ${this.host.address}`))
      } else {
        this.#network.trace(`${this.#name} opened`, null)
        this.server.open()
        this.client.open()
      }
    })
  }

  /** Both ends find the connection broken, each in its time; what is under way is lost. */
  cut(): void {
    this.#lose()
    this.#later(() => {
      this.client.close(new Error('read ECONNRESET'))
    })
    this.#later(() => {
      this.server.close()
    })
  }

  /** Nothing arrives any more, either way, and nobody is told. */
  silence(): void {
    this.#lose()
  }

  /** What is sent from now on, either way, waits so long before it goes on. */
  hold(ms: number): void {
    this.toServer.hold(ms)
    this.toClient.hold(ms)
  }

  /** The client reads these bytes as if the server had sent them. */
  inject(bytes: Buffer): void {
    this.toClient.push(bytes)
  }

  /** One end has closed: the other is told behind everything that was sent before. */
  handleClosed(pipe: Pipe, tell: () => void): void {
    pipe.then(() => {
      tell()
      this.#forgetIfOver()
    })
    this.#forgetIfOver()
  }

  /** The server's machine answers for a connection that it does not know. */
  reset(): void {
    this.#lose()
    this.#later(() => {
      this.client.close(new Error('read ECONNRESET'))
    })
  }

  #forgetIfOver(): void {
    if (this.client.isClosed && this.server.isClosed) this.#network.connections.delete(this)
  }

  #lose(): void {
    this.toServer.close()
    this.toClient.close()
    this.#network.connections.delete(this)
  }

  #later(run: () => void): void {
    const { clock } = this.#network
    clock.timer(clock.nowMs() + this.#network.latencyMs(), run)
  }
}

/** One direction of a connection. */
class Pipe {
  #lastMs = 0
  #isClosed = false
  #fault: { readonly at: (chunk: Buffer) => number | null; readonly cut: () => void } | null = null
  readonly #network: Network
  readonly #deliver: (bytes: Buffer) => void

  constructor(network: Network, deliver: (bytes: Buffer) => void) {
    this.#network = network
    this.#deliver = deliver
  }

  /** Takes bytes that nobody else will change. */
  push(bytes: Buffer): void {
    const { dice, options } = this.#network
    const at =
      bytes.length > 1 && dice.chance(options.sliceChance) ? dice.int(1, bytes.length - 1) : 0
    for (const slice of at === 0 ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at)]) {
      this.then(() => {
        this.#arrive(slice)
      })
    }
  }

  /** Does something behind everything that was sent before. */
  then(run: () => void): void {
    const { clock } = this.#network
    this.#lastMs = Math.max(this.#lastMs, clock.nowMs() + this.#network.latencyMs())
    clock.timer(this.#lastMs, () => {
      if (!this.#isClosed) run()
    })
  }

  hold(ms: number): void {
    this.#lastMs = Math.max(this.#lastMs, this.#network.clock.nowMs() + ms)
  }

  /** Cuts the connection within the first chunk of which `at` says how much of it still arrives. */
  cutAt(at: (chunk: Buffer) => number | null, cut: () => void): void {
    this.#fault = { at, cut }
  }

  /** Nothing arrives any more. */
  close(): void {
    this.#isClosed = true
  }

  #arrive(slice: Buffer): void {
    const length = this.#fault?.at(slice) ?? null
    const bytes = length === null ? slice : slice.subarray(0, length)
    if (bytes.length > 0) this.#deliver(bytes)
    if (length !== null) this.#fault!.cut()
  }
}

/** What a client's driver holds. */
class ClientEnd implements Transport {
  isClosed = false
  #isDestroyed = false
  readonly #connection: Connection
  readonly #network: Network
  readonly #link: Link

  constructor(connection: Connection, network: Network, link: Link) {
    this.#connection = connection
    this.#network = network
    this.#link = link
  }

  write(parts: readonly Uint8Array[]): boolean {
    const { clock, dice, options } = this.#network
    if (!dice.chance(options.slowWriteChance)) {
      this.#connection.toServer.push(Buffer.concat(parts))
      return true
    }
    clock.timer(clock.nowMs() + this.#network.latencyMs(), () => {
      if (this.isClosed) return
      this.#connection.toServer.push(Buffer.concat(parts))
      this.#link.handleWritten()
    })
    return false
  }

  destroy(): void {
    this.#isDestroyed = true
    this.#end()
  }

  open(): void {
    if (!this.isClosed) this.#link.handleOpened()
  }

  receive(bytes: Buffer): void {
    const { readBuffer } = this.#network
    for (let at = 0; at < bytes.length && !this.isClosed; at += readBuffer.length) {
      const length = bytes.copy(readBuffer, 0, at)
      this.#link.handleBytes(readBuffer, length)
      readBuffer.fill(0xdb, 0, length)
    }
  }

  /** The connection has ended, by the network or the server. */
  close(cause: Error | null): void {
    if (this.isClosed) return
    this.#end()
    if (!this.#isDestroyed) this.#link.handleClosed(cause)
  }

  #end(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#connection.handleClosed(this.#connection.toServer, () => {
      this.#connection.server.close()
    })
  }
}

/** What a server's link writes to. */
class ServerEnd implements Wire {
  readonly remoteAddress = '10.0.0.1'
  isClosed = false
  #link: ServerLink | null = null
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  open(): void {
    this.#link = this.#connection.host.accept(this)
  }

  write(bytes: Buffer): void {
    if (!this.isClosed) this.#connection.toClient.push(bytes)
  }

  end(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#connection.handleClosed(this.#connection.toClient, () => {
      this.#connection.client.close(null)
    })
  }

  reset(): void {
    this.isClosed = true
    this.#connection.reset()
  }

  receive(bytes: Buffer): void {
    if (!this.isClosed) this.#link?.handleBytes(bytes)
  }

  /** The connection has ended, by the network or the client. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#link?.handleClosed()
  }
}
