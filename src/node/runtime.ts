import { randomUUID } from 'node:crypto'
import { lookup as dnsLookup, resolveSrv } from 'node:dns/promises'
import { isIP } from 'node:net'
import { uptime } from 'node:os'
import { performance } from 'node:perf_hooks'
import { LeaseTimers } from '../session/lease-timers.ts'
import { type Runtime } from '../session/runtime.ts'
import { type Dial, StreamTransport } from './stream-transport.ts'
import { TimerHeap } from './timers.ts'
import { SocketTransport } from './transport.ts'
import { UptimeClock } from './uptime.ts'

/** The addresses of a host name, in the order in which to try them. */
export type Lookup = (name: string) => Promise<readonly string[]>

/** The SRV records of a service. Those of Node have more fields, which ZooKeeper's clients ignore. */
export type LookupSrv = (
  service: string,
) => Promise<readonly { readonly name: string; readonly port: number }[]>

const timers = new TimerHeap()
/** Those of clients that do not hold the process. */
const idleTimers = new TimerHeap(false)

const clocks = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  bootMs: () => uptime() * 1000,
}

const uptimeClock = new UptimeClock(clocks)

/**
 * Those of all clients: what one of them reads may be acted on under the lease of another. They need not
 * hold the process, as their clients do.
 */
const leaseTimers = new LeaseTimers({
  nowMs: clocks.nowMs,
  uptimeMs: () => uptimeClock.uptimeMs(),
  timer: (atMs, fire) => idleTimers.add(atMs, fire),
})

const systemLookup: Lookup = async (name) => {
  const found = await dnsLookup(name, { all: true })
  return found.map(({ address }) => address)
}

/** Whoever dials looks up himself, maybe where names mean something else. */
const asIs: Lookup = async (name) => [name]

/** What users may do in place of the system. */
export interface Surroundings {
  readonly lookup?: Lookup | undefined
  readonly lookupSrv?: LookupSrv | undefined
  readonly dial?: Dial | undefined
  readonly unref?: boolean | undefined
}

/** Real time, real sockets, real dice. */
export function nodeRuntime({
  lookup,
  lookupSrv,
  dial,
  unref = false,
}: Surroundings = {}): Runtime {
  const addressesOf = lookup ?? (dial === undefined ? systemLookup : asIs)
  const ownTimers = unref ? idleTimers : timers
  return {
    nowMs: clocks.nowMs,
    wallMs: clocks.wallMs,
    uptimeMs: () => uptimeClock.uptimeMs(),
    timer: (atMs, fire) => ownTimers.add(atMs, fire),
    leaseTimer: (atMs, fire) => leaseTimers.add(atMs, fire),
    settleLeases: () => {
      leaseTimers.settle()
    },
    defer: (run) => {
      process.nextTick(run)
    },
    random: () => Math.random(),
    uuid: () => randomUUID(),
    resolve: (name) => (isIP(name) === 0 ? addressesOf(name) : asIs(name)),
    resolveService: lookupSrv ?? resolveSrv,
    dial: (target, link) =>
      dial === undefined
        ? new SocketTransport(target, link, !unref)
        : new StreamTransport(target, link, dial),
  }
}

/** Holds the process until the promise has settled. */
export async function held<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, 0x7fff_ffff)
  try {
    return await promise
  } finally {
    clearInterval(timer)
  }
}
