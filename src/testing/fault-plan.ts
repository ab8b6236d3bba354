/**
 * What shall go wrong, as data: which requests or connections it strikes, and what happens to them.
 */
import { type ErrorCode, errorCodes, operations, ZooKeeperError } from '../protocol/index.ts'

/** Which way of a connection. */
export type FaultDirection = 'to-client' | 'to-server' | 'both'

/** What happens to a request or to its reply. */
export type RequestFault =
  /** Nothing. It counts requests, waits for one, and spares it the plans that were added later. */
  | { readonly do: 'pass' }
  /**
   * The connection is reset before the request is carried out, or after; the client cannot tell which.
   * `expire` ends the session before the request is carried out. `duplicate-reply` sends the reply
   * twice, `reorder-reply` sends it behind whatever the connection is sent next; a member of an ensemble
   * that is held answers a write later, and then as usual.
   */
  | {
      readonly do: 'drop-request' | 'drop-reply' | 'expire' | 'duplicate-reply' | 'reorder-reply'
    }
  /** The server answers an error instead of carrying the request out. */
  | { readonly do: 'fail'; readonly code: ErrorCode | number }
  /**
   * `delay-request`: the request, and all behind it on its connection, waits in the server so long,
   * and a write is carried out even if the connection is gone by then. `delay-reply`: it is carried out
   * now, and the reply, with all behind it, is late.
   */
  | { readonly do: 'delay-request' | 'delay-reply'; readonly ms: number }

/** What happens to a connection, from a moment on. */
export type LinkFault =
  /** Nothing arrives any more, and nobody is told. A request it strikes is lost, too, but for `to-client`. */
  | { readonly do: 'silence'; readonly direction?: FaultDirection }
  /** So many more bytes arrive, then the connection is closed. By default those to the client count. */
  | { readonly do: 'cut'; readonly bytes: number; readonly direction?: 'to-client' | 'to-server' }
  | {
      readonly do: 'slow'
      readonly bytesPerSecond: number
      readonly direction?: FaultDirection
    }
  /** Everything arrives so much later, in order. */
  | { readonly do: 'lag'; readonly ms: number; readonly direction?: FaultDirection }
  /** Everything arrives in pieces of so many bytes, a millisecond or more apart. */
  | { readonly do: 'slice'; readonly bytes: number; readonly direction?: FaultDirection }
  /** What is sent within so many milliseconds arrives in one piece. */
  | { readonly do: 'glue'; readonly ms: number; readonly direction?: FaultDirection }
  /** The client reads these bytes, in hexadecimal, as if the server had sent them. */
  | { readonly do: 'garbage'; readonly hex?: string }

/** Connections are reset as soon as they are open. `stop()` is what refuses them for good. */
export interface RefuseFault {
  readonly do: 'refuse'
}

/** Which requests a fault strikes. Whatever is left out is not asked for. */
export interface FaultMatch {
  /**
   * Operations as ZooKeeper names them; `create` and `getChildren` stand for all of their kind, such
   * as `create2`. `handshake` opens or resumes a session, `accept` is a connection that comes in.
   * Left out, it is every request but pings; for a fault of a link that names no path and no session
   * it is `accept`.
   */
  readonly operation?: string | readonly string[]
  /** A path on the server, behind any chroot. `*` stands for part of a name, `**` for any number of names. A multi has the paths of its parts. */
  readonly path?: string
  readonly session?: bigint
  /** The first match that is struck, from 1, the default. */
  readonly nth?: number
  /** How many matches are struck from then on. Default 1; `Infinity` for all. */
  readonly times?: number
  /** How likely each of these is struck, from 0 to 1, the default. The dice are those of `seed`. */
  readonly chance?: number
  readonly seed?: number
}

/** @see {@link FaultMatch}, {@link RequestFault}, {@link LinkFault} */
export type FaultPlan = (RequestFault | LinkFault | RefuseFault) & FaultMatch

type Check = (value: unknown) => boolean
type Fields = Readonly<Record<string, Check>>

interface Kind {
  /** What it can strike. */
  readonly strikes: 'requests' | 'links' | 'connections'
  readonly required?: Fields
  readonly optional?: Fields
}

const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isPositive: Check = (value) => isCount(value) && value !== 0
const isDuration: Check = (value) => Number.isFinite(value) && (value as number) >= 0
const isHex: Check = (value) => typeof value === 'string' && /^([0-9a-f]{2})+$/i.test(value)
const isOneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value)
const direction = isOneOf('to-client', 'to-server', 'both')

const kinds: Readonly<Record<FaultPlan['do'], Kind>> = {
  pass: { strikes: 'requests' },
  'drop-request': { strikes: 'requests' },
  'drop-reply': { strikes: 'requests' },
  'duplicate-reply': { strikes: 'requests' },
  'reorder-reply': { strikes: 'requests' },
  expire: { strikes: 'requests' },
  fail: { strikes: 'requests', required: { code: (code) => errnoOfFailure(code) !== null } },
  'delay-request': { strikes: 'requests', required: { ms: isDuration } },
  'delay-reply': { strikes: 'requests', required: { ms: isDuration } },
  silence: { strikes: 'links', optional: { direction } },
  cut: {
    strikes: 'links',
    required: { bytes: isCount },
    optional: { direction: isOneOf('to-client', 'to-server') },
  },
  slow: { strikes: 'links', required: { bytesPerSecond: isPositive }, optional: { direction } },
  lag: { strikes: 'links', required: { ms: isDuration }, optional: { direction } },
  slice: { strikes: 'links', required: { bytes: isPositive }, optional: { direction } },
  glue: { strikes: 'links', required: { ms: isDuration }, optional: { direction } },
  garbage: { strikes: 'links', optional: { hex: isHex } },
  refuse: { strikes: 'connections' },
}

const operationNames: ReadonlySet<string> = new Set([
  ...Object.values(operations).map(({ name }) => name),
  'handshake',
  'accept',
])
const isOperation = (name: unknown): boolean =>
  typeof name === 'string' && (operationNames.has(name) || /^opcode -?\d+$/.test(name))

const matchFields: Fields = {
  operation: (value) =>
    Array.isArray(value) ? value.length > 0 && value.every(isOperation) : isOperation(value),
  path: (value) => typeof value === 'string' && /^(\/|\*\*)/.test(value),
  session: (value) => typeof value === 'bigint',
  nth: isPositive,
  times: (value) => value === Infinity || isPositive(value),
  chance: (value) => isDuration(value) && (value as number) <= 1,
  seed: isCount,
}

/** @throws {ZooKeeperError} `BAD_ARGUMENTS` for a plan that says nothing, or nothing that is possible. */
export function checkPlan(plan: FaultPlan): void {
  if (!Object.hasOwn(kinds, plan.do)) refuse(`there is no fault "${plan.do as string}"`)
  checkFields(plan)
  checkTargets(plan)
}

function checkFields(plan: FaultPlan): void {
  const { do: kind, ...rest } = plan
  const { required = {}, optional = {} } = kinds[kind]
  const fields: Fields = { ...matchFields, ...required, ...optional }
  const said = new Map(Object.entries<unknown>(rest).filter(([, value]) => value !== undefined))
  for (const name of Object.keys(required)) {
    if (!said.has(name)) refuse(`"${kind}" needs "${name}"`)
  }
  for (const [name, value] of said) {
    const isValid = fields[name] ?? refuse(`"${kind}" has no "${name}"`)
    if (!isValid(value)) refuse(`"${name}" of "${kind}" cannot be ${String(value)}`)
  }
}

function checkTargets(plan: FaultPlan): void {
  const { strikes } = kinds[plan.do]
  const targets = operationsOf(plan)
  const accepts = targets?.has('accept') ?? false
  if (accepts && strikes === 'requests') refuse(`"${plan.do}" strikes requests, not "accept"`)
  if (accepts && (plan.path !== undefined || plan.session !== undefined)) {
    refuse('a connection that comes in has no path and no session yet')
  }
  if (strikes === 'connections' && !(accepts && targets?.size === 1)) {
    refuse(`"${plan.do}" strikes connections that come in, and nothing else`)
  }
  if (plan.do === 'fail' && targets?.has('handshake')) refuse('a handshake has no error to answer')
}

export function isLinkFault(plan: FaultPlan): plan is LinkFault & FaultMatch {
  return kinds[plan.do].strikes === 'links'
}

/** The number on the wire; null for a code that no server answers. */
export function errnoOfFailure(code: unknown): number | null {
  if (typeof code === 'number') return Number.isInteger(code) && code !== 0 ? code : null
  if (typeof code !== 'string' || !Object.hasOwn(errorCodes, code)) return null
  return errorCodes[code as ErrorCode].errno
}

/** Null for all but pings. */
export function operationsOf(plan: FaultPlan): ReadonlySet<string> | null {
  const { operation, path, session } = plan
  if (operation === undefined) {
    const isOfLink = kinds[plan.do].strikes !== 'requests'
    return isOfLink && path === undefined && session === undefined ? new Set(['accept']) : null
  }
  const names = typeof operation === 'string' ? [operation] : operation
  return new Set(names.flatMap((name) => families.get(name) ?? [name]))
}

const families: ReadonlyMap<string, readonly string[]> = new Map([
  ['create', ['create', 'create2', 'createContainer', 'createTTL']],
  ['getChildren', ['getChildren', 'getChildren2']],
  ['setWatches', ['setWatches', 'setWatches2']],
])

function refuse(detail: string): never {
  throw new ZooKeeperError('BAD_ARGUMENTS', { op: 'faults.add', detail })
}
