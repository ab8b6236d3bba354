/**
 * Random requests of every kind, as plain data that can be printed and shrunk. Paths are below a znode
 * that each playing of a script has for itself.
 */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import {
  AddWatchMode,
  CreateFlags,
  type OperationName,
  operations,
  Perms,
} from '../../src/protocol/index.ts'

export interface Call {
  readonly call: OperationName
  readonly request: unknown
}

/** Of a container or a TTL znode, and of nothing else: it goes by itself as soon as it may. */
export const shortLived = '/k'

/** What scripts are about, besides everything usual. */
export type Kind = 'usual' | 'quotas' | 'containers' | 'ttls'

/** Whether znodes go by themselves while such a script is played. */
export function isFleeting(kind: Kind): boolean {
  return kind === 'containers' || kind === 'ttls'
}

/** These are there when a script begins. */
export const firstPaths = ['', '/a', '/b', '/a/c'] as const
const paths = [...firstPaths, '/a', '/a/c', '/a/d', '/a/c/e']
const oddPaths = ['/a/', '//', '/none/x', '/a/./b', '/a/..', '/a\0', '/\u0001', '/é', '/a//c']
const path = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom(...paths) },
  { weight: 1, arbitrary: fc.constantFrom(...oddPaths) },
)
/** Where a sequential znode is put: the number is appended. */
const prefix = fc.constantFrom('/s-', '/a/s-', '/a/c/', '/b/s-')
const data = fc.option(fc.constantFrom('', 'x', 'some data', 'x'.repeat(100)))
const version = fc.oneof(
  { weight: 6, arbitrary: fc.constant(-1) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(-2, 0x7fff_ffff) },
)
const watch = fc.boolean()

const users = ['bob:b', 'eve:e', 'super:admin']
const identity = fc.constantFrom(
  { scheme: 'world', id: 'anyone' },
  { scheme: 'world', id: 'nobody' },
  { scheme: 'auth', id: '' },
  { scheme: 'auth', id: '' },
  { scheme: 'auth', id: 'ignored' },
  { scheme: 'ip', id: '127.0.0.1' },
  { scheme: 'ip', id: '127.0.0.0/8' },
  { scheme: 'ip', id: '10.0.0.0/8' },
  { scheme: 'digest', id: digestOf('bob:b') },
  { scheme: 'digest', id: digestOf('eve:e') },
  { scheme: 'digest', id: 'no digest' },
  { scheme: 'unknown', id: 'x' },
)
const openAcl = [{ perms: Perms.ALL, id: { scheme: 'world', id: 'anyone' } }]
const entries = fc.record({ perms: fc.integer({ min: 0, max: 31 }), id: identity })
const acl = fc.oneof(
  { weight: 12, arbitrary: fc.constant(openAcl) },
  { weight: 2, arbitrary: fc.array(entries, { maxLength: 3 }) },
)

const anyFlags = fc.integer({ min: -1, max: 7 })
const flat = fc.record({
  path,
  data,
  acl,
  flags: fc.oneof(
    {
      weight: 20,
      arbitrary: fc.constantFrom<number>(CreateFlags.persistent, CreateFlags.ephemeral),
    },
    { weight: 1, arbitrary: anyFlags },
  ),
})
const sequential = fc.record({
  path: prefix,
  data,
  acl,
  flags: fc.constantFrom(CreateFlags['persistent-sequential'], CreateFlags['ephemeral-sequential']),
})

/** So long that none goes by itself while the script plays; or none that there can be. */
const ttl = fc.oneof(
  { weight: 6, arbitrary: fc.constant(1_000_000_000) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, 0xff_ffff_ffff, 0x100_0000_0000) },
)
const ttlFlags = fc.oneof(
  { weight: 6, arbitrary: fc.constant<number>(CreateFlags['persistent-with-ttl']) },
  { weight: 1, arbitrary: anyFlags },
)
const createTTL = call(
  'createTTL',
  // Without a TTL in either, ZooKeeper 3.9.5 ends: docs/testing-server.md.
  fc.record({ path, data, acl, flags: ttlFlags, ttl }).filter(({ flags, ttl: ms }) => {
    return ms >= 0 || flags >= CreateFlags['persistent-with-ttl']
  }),
)
const sequentialTTL = call(
  'createTTL',
  fc.record({
    path: prefix,
    data,
    acl,
    flags: fc.constant(CreateFlags['persistent-sequential-with-ttl']),
    ttl,
  }),
)
const containerFlags = fc.oneof(
  { weight: 6, arbitrary: fc.constant<number>(CreateFlags.container) },
  { weight: 1, arbitrary: anyFlags },
)

const writes: readonly fc.Arbitrary<Call>[] = [
  call('create', flat),
  call('create2', flat),
  call('create2', sequential),
  call('delete', fc.record({ path, version })),
  call('setData', fc.record({ path, data, version })),
  call('createContainer', fc.record({ path, data, acl, flags: containerFlags })),
]
const check = call('check', fc.record({ path, version }))
const getData = call('getData', fc.record({ path, watch }))
const getChildren = call('getChildren', fc.record({ path, watch }))
const watched = fc.array(fc.constantFrom(...paths), { maxLength: 2 })
const watcherType = fc.integer({ min: 0, max: 6 })
const lists = { dataWatches: watched, existWatches: watched, childWatches: watched }
/** Behind the znode that all this is below. */
const relativeZxid = fc.constantFrom(0, 10, 1_000_000)

const multis: readonly fc.Arbitrary<Call>[] = [
  call('multi', fc.array(fc.oneof(...writes, check), { maxLength: 4 })),
  call('multi', fc.array(fc.oneof(...writes, check), { minLength: 1, maxLength: 3 })),
  call(
    'multi',
    fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.oneof(...writes, check, call('create', sequential)) },
        { weight: 2, arbitrary: fc.oneof(createTTL, sequentialTTL) },
        { weight: 1, arbitrary: getData },
      ),
      { minLength: 1, maxLength: 4 },
    ),
  ),
  call('multiRead', fc.array(fc.oneof(getData, getChildren), { maxLength: 3 })),
  call('multiRead', fc.array(fc.oneof(getData, getData, check), { maxLength: 3 })),
]

const addWatch = call(
  'addWatch',
  fc.record({
    path,
    mode: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom<number>(...Object.values(AddWatchMode)) },
      { weight: 1, arbitrary: fc.constantFrom(-1, 2) },
    ),
  }),
)

const setACL = call('setACL', fc.record({ path, acl, version }))

/** What has no effect but on the data and on watches. */
const plain: readonly fc.Arbitrary<Call>[] = [
  ...writes,
  ...writes,
  createTTL,
  sequentialTTL,
  getData,
  getChildren,
  call('exists', fc.record({ path, watch })),
  call('exists', fc.record({ path, watch: fc.constant(true) })),
  call('getChildren2', fc.record({ path, watch })),
  call('getACL', fc.record({ path })),
  setACL,
  call('sync', fc.record({ path })),
  ...multis,
  addWatch,
  addWatch,
  call('removeWatches', fc.record({ path, type: watcherType })),
  call('checkWatches', fc.record({ path, type: watcherType })),
  call('getEphemerals', fc.record({ prefixPath: path })),
  call('getAllChildrenNumber', fc.record({ path })),
  call('setWatches', fc.record({ relativeZxid, ...lists })),
  call(
    'setWatches2',
    fc.record({
      relativeZxid,
      ...lists,
      persistentWatches: watched,
      persistentRecursiveWatches: watched,
    }),
  ),
]

const personal: readonly fc.Arbitrary<Call>[] = [
  call(
    'auth',
    fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...users).map((auth) => login('digest', auth)) },
      { weight: 1, arbitrary: fc.constantFrom(login('unknown', 'x'), login('ip', 'x')) },
    ),
  ),
  call('whoAmI', fc.constant(undefined)),
]

/** No server of these carries them out. */
const hopeless: readonly fc.Arbitrary<Call>[] = [
  check,
  call(
    'reconfig',
    fc.constant({ joiningServers: null, leavingServers: '1', newMembers: null, curConfigId: -1 }),
  ),
]

const limits = fc.constantFrom(
  'count=3,bytes=-1',
  'count=-1,bytes=-1=;countHardLimit=2',
  'count=-1,bytes=-1=;byteHardLimit=100',
  'count=5,bytes=10=;byteHardLimit=200;countHardLimit=4',
  'countHardLimit=0',
  'no figure',
)
const limited = fc.constantFrom('/a', '/a', '/a/c', '/b')
const limitsPath = limited.map((of) => `quota:${of}/zookeeper_limits`)
const statsPath = limited.map((of) => `quota:${of}/zookeeper_stats`)
const quotaPath = fc.oneof(limitsPath, statsPath)
const create = (at: fc.Arbitrary<string>, text: fc.Arbitrary<string>) => {
  const rest = { acl: fc.constant(openAcl), flags: fc.constant(CreateFlags.persistent) }
  return call('create2', fc.record({ path: at, data: text, ...rest }))
}

const quotaCalls: readonly fc.Arbitrary<Call>[] = [
  create(limitsPath, limits),
  create(limitsPath, limits),
  create(statsPath, fc.constantFrom('', 'count=0,bytes=0')),
  create(statsPath, fc.constantFrom('', 'count=0,bytes=0')),
  call('setData', fc.record({ path: limitsPath, data: limits, version })),
  call('setData', fc.record({ path: statsPath, data: fc.constant('count=1,bytes=1'), version })),
  call('delete', fc.record({ path: quotaPath, version })),
  call('getData', fc.record({ path: statsPath, watch })),
  call('getData', fc.record({ path: statsPath, watch })),
  call(
    'multi',
    fc.array(
      fc.oneof(
        create(limitsPath, limits),
        create(statsPath, fc.constant('')),
        call('delete', fc.record({ path: quotaPath, version })),
        ...writes,
      ),
      { maxLength: 4 },
    ),
  ),
]

const below = fc.constantFrom(`${shortLived}/x`, `${shortLived}/y`)
const shortLivedPath = fc.oneof(fc.constant(shortLived), below)
const around = fc.record({
  path: below,
  data,
  acl: fc.constant(openAcl),
  flags: fc.constantFrom(CreateFlags.persistent, CreateFlags.ephemeral),
})
const aroundWrites = [
  call('create2', around),
  call('create2', around),
  call('delete', fc.record({ path: shortLivedPath, version: fc.constant(-1) })),
  call('setData', fc.record({ path: shortLivedPath, data, version: fc.constant(-1) })),
]
const beginning = (name: 'createContainer' | 'createTTL', flags: number) => {
  const at = { path: fc.constant(shortLived), data, acl: fc.constant(openAcl) }
  const rest = name === 'createTTL' ? { ttl: fc.constant(1) } : {}
  return call(name, fc.record({ ...at, flags: fc.constant(flags), ...rest }))
}
const aroundReads = [
  call('exists', fc.record({ path: shortLivedPath, watch })),
  call('getChildren2', fc.record({ path: shortLivedPath, watch })),
  call('getChildren2', fc.record({ path: fc.constant(''), watch })),
  call('addWatch', fc.record({ path: shortLivedPath, mode: fc.constantFrom(0, 1) })),
]
const aroundCalls = (begin: fc.Arbitrary<Call>): readonly fc.Arbitrary<Call>[] => [
  begin,
  begin,
  begin,
  ...aroundWrites,
  ...aroundReads,
  call('multi', fc.array(fc.oneof(begin, ...aroundWrites), { minLength: 1, maxLength: 3 })),
]

const specials: Readonly<Record<Kind, readonly fc.Arbitrary<Call>[]>> = {
  usual: [],
  quotas: [...quotaCalls, ...quotaCalls],
  containers: aroundCalls(beginning('createContainer', CreateFlags.container)),
  ttls: aroundCalls(beginning('createTTL', CreateFlags['persistent-with-ttl'])),
}

/** One request, of those that a server of that version knows. */
export function calls(kind: Kind, version: string): fc.Arbitrary<Call> {
  const known = (asked: Call) => isKnown(asked, version)
  // Containers and TTL znodes elsewhere would go, too, and nobody knows in which order.
  const lasts = (asked: Call) => !isFleeting(kind) || !mayGo(asked)
  const general = fc.oneof(
    { weight: 30, arbitrary: fc.oneof(...plain).filter(lasts) },
    { weight: 2, arbitrary: fc.oneof(...personal) },
    { weight: 1, arbitrary: fc.oneof(...hopeless) },
  )
  const special = specials[kind]
  return (special.length === 0 ? general : fc.oneof(general, fc.oneof(...special))).filter(known)
}

/**
 * Several requests that one client sends at once: no new ACL among them, which ZooKeeper does not look at
 * before it is in force.
 */
export function bursts(version: string): fc.Arbitrary<readonly Call[]> {
  const possible = plain.filter((one) => one !== setACL)
  const asked = fc.oneof(...possible).filter((one) => isKnown(one, version))
  return fc.array(asked, { minLength: 2, maxLength: 6 })
}

/** What may stand in a transaction, all of them know. */
function isKnown({ call: name, request }: Call, version: string): boolean {
  // Alone, a check is answered with an error by these, and by older ones not at all.
  if (name === 'check') return version.startsWith('3.9.')
  if (name === 'multi' && /^3\.[56]\./.test(version)) return (request as Call[]).every(isUsual)
  return operations[name].since.localeCompare(version, 'en', { numeric: true }) <= 0
}

/** What is wrong with other flags, old servers say of one part of a transaction, new ones of all. */
function isUsual({ request }: Call): boolean {
  const { flags = 0 } = request as { flags?: number }
  return flags >= 0 && flags <= CreateFlags.container
}

/** Whether a znode that may go by itself comes of it. */
function mayGo({ call: name, request }: Call): boolean {
  if (Array.isArray(request)) return request.some((part: Call) => mayGo(part))
  if (name === 'createContainer' || name === 'createTTL') return true
  return name.startsWith('create') && (request as { flags: number }).flags >= CreateFlags.container
}

function call(name: OperationName, request: fc.Arbitrary<unknown>): fc.Arbitrary<Call> {
  return request.map((value) => ({ call: name, request: value }))
}

function login(scheme: string, auth: string) {
  return { type: 0, scheme, auth }
}

function digestOf(user: string): string {
  const hash = createHash('sha1').update(user).digest('base64')
  return `${user.split(':')[0]!}:${hash}`
}
