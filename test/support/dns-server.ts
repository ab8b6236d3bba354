/** A DNS server on the loopback interface, which answers SRV and A, and else that there is no such name. */
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'

interface SrvRecord {
  readonly name: string
  readonly port: number
}

const types = { a: 1, srv: 33 } as const

export class DnsServer implements AsyncDisposable {
  /** By service; what is not there does not exist. */
  readonly services = new Map<string, readonly SrvRecord[]>()
  readonly addresses = new Map<string, string>()
  /** Every name that was asked for. */
  readonly asked: string[] = []
  readonly #socket = createSocket('udp4')

  static async start(): Promise<DnsServer> {
    const server = new DnsServer()
    server.#socket.on('message', (query, { port, address }) => {
      server.#socket.send(server.#answer(query), port, address)
    })
    server.#socket.bind(0, '127.0.0.1')
    await once(server.#socket, 'listening')
    return server
  }

  /** One that asks this server alone. */
  resolver(): Resolver {
    const resolver = new Resolver({ timeout: 500, tries: 1 })
    resolver.setServers([`127.0.0.1:${this.#socket.address().port}`])
    return resolver
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close()
    await once(this.#socket, 'close')
  }

  #answer(query: Buffer): Buffer {
    const { name, end } = nameAt(query, 12)
    this.asked.push(name)
    const records = this.#recordsOf(name, query.readUInt16BE(end))
    const header = Buffer.from(query.subarray(0, 12))
    header.writeUInt16BE(records === null ? 0x8183 : 0x8180, 2) // no such name, or no error
    header.writeUInt16BE(records?.length ?? 0, 6)
    header.writeUInt16BE(0, 8)
    header.writeUInt16BE(0, 10)
    return Buffer.concat([header, query.subarray(12, end + 4), ...(records ?? [])])
  }

  #recordsOf(name: string, type: number): Buffer[] | null {
    const address = this.addresses.get(name)
    if (type === types.a && address !== undefined) {
      return [recordOf(types.a, Buffer.from(address.split('.').map(Number)))]
    }
    const services = type === types.srv ? this.services.get(name) : undefined
    return (
      services?.map(({ name: target, port }) => recordOf(types.srv, srvOf(target, port))) ?? null
    )
  }
}

function nameAt(bytes: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = start
  for (let length = bytes[at]!; length > 0; length = bytes[at]!) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.'), end: at + 1 }
}

/** Of the name that was asked for, for no time at all. */
function recordOf(type: number, data: Buffer): Buffer {
  const head = Buffer.from('c00c0000000100000000', 'hex')
  head.writeUInt16BE(type, 2)
  return Buffer.concat([head, Buffer.of(data.length >> 8, data.length & 255), data])
}

function srvOf(target: string, port: number): Buffer {
  const labels = target.split('.').filter((label) => label !== '')
  const name = labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]))
  return Buffer.concat([Buffer.of(0, 10, 0, 5, port >> 8, port & 255), ...name, Buffer.of(0)])
}
