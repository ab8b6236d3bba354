/** What one child process is asked to do, and what it answers: plain data, sent between processes. */

export const workloads = [
  'getData',
  'getMany',
  'setData',
  'create-delete',
  'mixed',
  'lock',
] as const
/**
 * `getMany`: all requests in flight are made by one call, and the next one when all are answered.
 * `lock`: sessions that take a lock in turn; an operation is one hand-over from one to the next.
 */
export type Workload = (typeof workloads)[number]
export type RequestWorkload = Exclude<Workload, 'lock'>

/** Clients in other languages. They know the workloads that every client can do. */
export const foreigners = ['go-zookeeper', 'java', 'kazoo'] as const
export type Foreigner = (typeof foreigners)[number]

export const contestants = [
  'raw socket',
  'node-zookeeper-client',
  ...foreigners,
  'zoowire',
  'baseline',
] as const
export type Contestant = (typeof contestants)[number]

export interface Plan {
  readonly contestant: Contestant
  /** Where `baseline` finds the other build of zoowire. */
  readonly baseline: string | null
  /** `host:port` of each server. Requests go to the first, contenders for a lock to each in turn. */
  readonly hosts: readonly string[]
  readonly workload: Workload
  /** Requests outstanding, or sessions that want the lock. */
  readonly inFlight: number
  readonly valueBytes: number
  readonly warmupMs: number
  readonly measuredMs: number
}

export interface Measurement {
  /** Everything that was sent, with the warm-up: the server must have seen as many. */
  readonly operationsInAll: number
  readonly operationsPerSecond: number
  /** User and system time of all threads of the process, the collector's and the compiler's too. */
  readonly cpuMicrosPerOperation: number
  readonly p50Micros: number
  readonly p99Micros: number
}

/** The znode that is read and written; it exists before a contestant starts. */
export const benchPath = '/bench'

/** Whose children stand in line for the lock. */
export const lockPath = '/bench-lock'

/** How many chains of calls there are at a time, and how many requests each call makes. */
export function shapeOf({ workload, inFlight }: Plan): { chains: number; perCall: number } {
  return workload === 'getMany'
    ? { chains: 1, perCall: inFlight }
    : { chains: inFlight, perCall: 1 }
}

/** Every fifth operation of `mixed` is a setData, the others are getData. */
export const mixedPeriod = 5
