import { randomUUID } from 'node:crypto'
import { lookup as dnsLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { uptime } from 'node:os'
import { performance } from 'node:perf_hooks'
import { type Runtime } from '../session/runtime.ts'
import { TimerHeap } from './timers.ts'
import { SocketTransport } from './transport.ts'

/** The addresses of a host name, in the order in which to try them. */
export type Lookup = (name: string) => Promise<readonly string[]>

const timers = new TimerHeap()

const systemLookup: Lookup = async (name) => {
  const found = await dnsLookup(name, { all: true })
  return found.map(({ address }) => address)
}

/** Real time, real sockets, real dice. */
export function nodeRuntime(lookup: Lookup = systemLookup): Runtime {
  return {
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    uptimeMs: () => uptime() * 1000,
    timer: (atMs, fire) => timers.add(atMs, fire),
    defer: (run) => {
      process.nextTick(run)
    },
    random: () => Math.random(),
    uuid: () => randomUUID(),
    resolve: (name) => (isIP(name) === 0 ? lookup(name) : Promise.resolve([name])),
    dial: (target, link) => new SocketTransport(target, link),
  }
}
