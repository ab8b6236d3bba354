/**
 * Random scripts: what three clients do, one step behind the other, as plain data that can be printed
 * and shrunk. Paths are below a znode that each playing of a script has for itself.
 */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { AddWatchMode, CreateFlags, type OperationName, Perms } from '../../src/protocol/index.ts'

export const clients = ['A', 'B', 'C'] as const
export type Client = (typeof clients)[number]

export interface Call {
  readonly call: OperationName
  readonly request: unknown
}

export type Step =
  | ({ readonly client: Client } & Call)
  /** `resume`: another connection, the same session. `reopen`: the session ends, and the next begins. */
  | { readonly client: Client; readonly does: 'resume' | 'reopen' | 'nothing' }

export type Script = readonly Step[]

/** So long that none goes by itself while the script plays. */
const ttl = 1_000_000_000

/** These are there when a script begins. */
export const firstPaths = ['', '/a', '/b', '/a/c'] as const
const paths = [...firstPaths, '/a', '/a/c', '/a/d', '/a/c/e']
const path = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom(...paths) },
  { weight: 1, arbitrary: fc.constantFrom('/a/', '//', '/none/x', '/a/./b') },
)
/** Where a sequential znode is put: the number is appended. */
const prefix = fc.constantFrom('/s-', '/a/s-', '/a/c/', '/b/s-')
const data = fc.option(fc.constantFrom('', 'x', 'some data'))
const version = fc.oneof(
  { weight: 3, arbitrary: fc.constant(-1) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 3 }) },
)
const watch = fc.boolean()

const users = ['bob:b', 'eve:e']
const identity = fc.constantFrom(
  { scheme: 'world', id: 'anyone' },
  { scheme: 'auth', id: '' },
  { scheme: 'ip', id: '127.0.0.1' },
  { scheme: 'ip', id: '10.0.0.0/8' },
  { scheme: 'digest', id: digestOf('bob:b') },
  { scheme: 'digest', id: 'no digest' },
)
const openAcl = [{ perms: Perms.ALL, id: { scheme: 'world', id: 'anyone' } }]
const acl = fc.oneof(
  { weight: 12, arbitrary: fc.constant(openAcl) },
  {
    weight: 2,
    arbitrary: fc.array(fc.record({ perms: fc.integer({ min: 0, max: 31 }), id: identity }), {
      maxLength: 2,
    }),
  },
)

const flat = fc.record({
  path,
  data,
  acl,
  flags: fc.constantFrom(CreateFlags.persistent, CreateFlags.persistent, CreateFlags.ephemeral),
})
const sequential = fc.record({
  path: prefix,
  data,
  acl,
  flags: fc.constantFrom(CreateFlags['persistent-sequential'], CreateFlags['ephemeral-sequential']),
})

const writes: readonly fc.Arbitrary<Call>[] = [
  call('create', flat),
  call('create2', flat),
  call('create2', sequential),
  call('delete', fc.record({ path, version })),
  call('setData', fc.record({ path, data, version })),
  call(
    'createContainer',
    fc.record({ path, data, acl, flags: fc.constant(CreateFlags.container) }),
  ),
]
const check = call('check', fc.record({ path, version }))
const getData = call('getData', fc.record({ path, watch }))
const getChildren = call('getChildren', fc.record({ path, watch }))
const watched = fc.array(fc.constantFrom(...paths), { maxLength: 2 })

const calls: readonly fc.Arbitrary<Call>[] = [
  ...writes,
  ...writes,
  getData,
  getChildren,
  call('exists', fc.record({ path, watch })),
  call('exists', fc.record({ path, watch: fc.constant(true) })),
  call('getChildren2', fc.record({ path, watch })),
  call('getACL', fc.record({ path })),
  call('setACL', fc.record({ path, acl, version })),
  call('sync', fc.record({ path })),
  call(
    'createTTL',
    fc.record({
      path,
      data,
      acl,
      flags: fc.constant(CreateFlags['persistent-with-ttl']),
      ttl: fc.constant(ttl),
    }),
  ),
  call('multi', fc.array(fc.oneof(...writes, check), { maxLength: 4 })),
  call('multi', fc.array(fc.oneof(...writes, check), { minLength: 1, maxLength: 3 })),
  call('multiRead', fc.array(fc.oneof(getData, getChildren), { maxLength: 3 })),
  call('addWatch', fc.record({ path, mode: fc.constantFrom(...Object.values(AddWatchMode)) })),
  call('addWatch', fc.record({ path, mode: fc.constantFrom(...Object.values(AddWatchMode)) })),
  call('removeWatches', fc.record({ path, type: fc.integer({ min: 1, max: 5 }) })),
  call('checkWatches', fc.record({ path, type: fc.integer({ min: 1, max: 5 }) })),
  call('getEphemerals', fc.record({ prefixPath: path })),
  call('getAllChildrenNumber', fc.record({ path })),
  call(
    'auth',
    fc.constantFrom(...users).map((auth) => ({ type: 0, scheme: 'digest', auth })),
  ),
  call('whoAmI', fc.constant(undefined)),
  call(
    'setWatches2',
    fc.record({
      relativeZxid: fc.constantFrom(0, 10, 1_000_000), // behind the znode that all this is below
      dataWatches: watched,
      existWatches: watched,
      childWatches: watched,
      persistentWatches: watched,
      persistentRecursiveWatches: watched,
    }),
  ),
]

const client = fc.constantFrom(...clients)
const nothing = client.map((name): Step => ({ client: name, does: 'nothing' }))
const link = fc.record({ client, does: fc.constantFrom('resume', 'reopen') })
const asking = fc.tuple(client, fc.oneof(...calls)).map(([name, asked]): Step => {
  return { client: name, ...asked }
})

/** Of so many steps. Shrinking turns those that do not matter into nothing. */
export function scripts(length: number): fc.Arbitrary<Script> {
  const step = fc.oneof(
    { withCrossShrink: true },
    { weight: 1, arbitrary: nothing },
    { weight: 60, arbitrary: asking },
    { weight: 2, arbitrary: link },
  )
  return fc.array(step, { minLength: length, maxLength: length })
}

function call(name: OperationName, request: fc.Arbitrary<unknown>): fc.Arbitrary<Call> {
  return request.map((value) => ({ call: name, request: value }))
}

function digestOf(user: string): string {
  const hash = createHash('sha1').update(user).digest('base64')
  return `${user.split(':')[0]!}:${hash}`
}
