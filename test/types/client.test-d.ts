/** What the compiler knows of every call. `npm run typecheck` checks it; nothing here runs. */
import { createConnection } from 'node:net'
import { Readable } from 'node:stream'
import { describe, expectTypeOf, test } from 'vitest'
import {
  type AclResult,
  type ChildrenResult,
  type ClientInfo,
  type ConfigResult,
  type ConnectionReport,
  connect,
  type CreateResult,
  type DataResult,
  type Dial,
  type DialRequest,
  type EnsembleMember,
  fourLetterWords,
  type ReadResult,
  type ServerReport,
  type Stat,
  type TransactionCreateResult,
  type WalkEntry,
  type WatchesReport,
  type WatchEvent,
  type ZooKeeper,
} from '../../src/index.ts'
import { type TestEnsemble, type TestServer } from '../../src/testing/index.ts'

declare const zk: ZooKeeper
declare const server: TestServer
declare const ensemble: TestEnsemble

describe('the results of', () => {
  test('reads', () => {
    expectTypeOf(zk.getData('/a')).resolves.toEqualTypeOf<DataResult>()
    expectTypeOf<DataResult['data']>().toEqualTypeOf<Buffer | null>()
    expectTypeOf(zk.exists('/a')).resolves.toEqualTypeOf<Stat | null>()
    expectTypeOf(zk.getChildren('/a')).resolves.toEqualTypeOf<ChildrenResult>()
    expectTypeOf(zk.getACL('/a')).resolves.toEqualTypeOf<AclResult>()
    expectTypeOf(zk.getMany(['/a'])).resolves.toEqualTypeOf<(DataResult | null)[]>()
    expectTypeOf(zk.getEphemerals()).resolves.toEqualTypeOf<readonly string[]>()
    expectTypeOf(zk.getAllChildrenNumber('/a')).resolves.toEqualTypeOf<number>()
    expectTypeOf(zk.whoAmI()).resolves.toEqualTypeOf<readonly ClientInfo[]>()
    expectTypeOf(zk.getConfig()).resolves.toEqualTypeOf<ConfigResult>()
    expectTypeOf<ConfigResult['members']>().toEqualTypeOf<readonly EnsembleMember[]>()
    expectTypeOf<ConfigResult['version']>().toEqualTypeOf<bigint>()
    expectTypeOf(zk.checkWatches('/a', { kind: 'data' })).resolves.toEqualTypeOf<boolean>()
    expectTypeOf(zk.sync()).resolves.toBeVoid()
    expectTypeOf(zk.check('/a', 1)).resolves.toBeVoid()
  })

  test('writes', () => {
    expectTypeOf(zk.create('/a')).resolves.toEqualTypeOf<CreateResult>()
    expectTypeOf<CreateResult['stat']>().toEqualTypeOf<Stat>()
    expectTypeOf(zk.setData('/a', null)).resolves.toEqualTypeOf<Stat>()
    expectTypeOf(zk.setACL('/a', [])).resolves.toEqualTypeOf<Stat>()
    expectTypeOf(zk.delete('/a')).resolves.toBeVoid()
    expectTypeOf(zk.deleteRecursive('/a')).resolves.toBeVoid()
    expectTypeOf(zk.reconfig({ leaving: [1] })).resolves.toEqualTypeOf<ConfigResult>()
  })

  test('iterators', () => {
    expectTypeOf(zk.watch('/a').next()).resolves.toEqualTypeOf<
      IteratorResult<WatchEvent, undefined>
    >()
    expectTypeOf(zk.observe('/a')).toEqualTypeOf<AsyncGenerator<DataResult | null, undefined>>()
    expectTypeOf(zk.walk('/a')).toEqualTypeOf<AsyncGenerator<WalkEntry, undefined>>()
  })

  test('the client itself', () => {
    expectTypeOf(connect('zk1')).resolves.toEqualTypeOf<ZooKeeper>()
    expectTypeOf(zk.chroot('/a')).toEqualTypeOf<ZooKeeper>()
    expectTypeOf(zk.session.id).toEqualTypeOf<bigint>()
    expectTypeOf(zk.server).toEqualTypeOf<string | null>()
  })

  test('four-letter words', () => {
    const { srvr, stat, ruok, isro, cons, conf, mntr, wchs } = fourLetterWords
    expectTypeOf(srvr('zk1')).resolves.toEqualTypeOf<ServerReport>()
    expectTypeOf(stat('zk1')).resolves.toExtend<ServerReport>()
    expectTypeOf(stat('zk1')).resolves.toHaveProperty('clients').toEqualTypeOf<ConnectionReport[]>()
    expectTypeOf(ruok('zk1')).resolves.toEqualTypeOf<true>()
    expectTypeOf(isro('zk1')).resolves.toEqualTypeOf<'rw' | 'ro'>()
    expectTypeOf(cons('zk1')).resolves.toEqualTypeOf<ConnectionReport[]>()
    expectTypeOf(conf('zk1')).resolves.toEqualTypeOf<ReadonlyMap<string, string>>()
    expectTypeOf(mntr('zk1')).resolves.toEqualTypeOf<ReadonlyMap<string, string | number>>()
    expectTypeOf(wchs('zk1')).resolves.toEqualTypeOf<WatchesReport>()
  })
})

describe('the results of a transaction', () => {
  test('are those of its operations, in their order', () => {
    const transaction = zk
      .multi()
      .check('/a', 1)
      .create('/b', 'x', { mode: 'container', parents: true })
      .create('/c', '', { mode: 'persistent-with-ttl', ttl: 1 })
      .setData('/a', 'x')
      .delete('/d')
    expectTypeOf(transaction.commit()).resolves.toEqualTypeOf<
      [undefined, TransactionCreateResult, TransactionCreateResult, Stat, undefined]
    >()
    expectTypeOf(zk.multi().commit()).resolves.toEqualTypeOf<[]>()
  })

  test('may lack the Stat of what was created', () => {
    expectTypeOf<TransactionCreateResult['stat']>().toEqualTypeOf<Stat | null>()
  })

  test('has no reads', () => {
    // @ts-expect-error: a transaction consists of writes and checks
    zk.multi().getData('/a')
  })
})

describe('the results of several reads', () => {
  test('are values or errors, in their order', () => {
    const reads = zk.multiRead().getData('/a').getChildren('/b')
    expectTypeOf(reads.read()).resolves.toEqualTypeOf<
      [ReadResult<DataResult>, ReadResult<Pick<ChildrenResult, 'children'>>]
    >()
  })

  test('must be asked what came of them', () => {
    type Result = ReadResult<DataResult>
    expectTypeOf<Extract<Result, { status: 'fulfilled' }>['value']>().toEqualTypeOf<DataResult>()
    expectTypeOf<Result>().not.toHaveProperty('value')
  })
})

describe('misuse is refused:', () => {
  test('of create', () => {
    // @ts-expect-error: no such mode
    void zk.create('/a', '', { mode: 'permanent' })
    // @ts-expect-error: an ancestor is persistent or a container
    void zk.create('/a', '', { parents: 'ephemeral' })
    // @ts-expect-error: numbers are no data
    void zk.create('/a', 5)
  })

  test('of versions', () => {
    // @ts-expect-error: a version is a number
    void zk.setData('/a', '', { version: '1' })
    // @ts-expect-error: a check needs a version
    void zk.check('/a')
    // @ts-expect-error: the version of a configuration is a bigint
    void zk.reconfig({ leaving: [1], fromConfig: 5 })
  })

  test('of a dial', () => {
    expectTypeOf(server.dial).toExtend<Dial>()
    expectTypeOf(ensemble.dial).toExtend<Dial>()
    expectTypeOf(({ host, port, signal }: DialRequest) =>
      createConnection({ host, port, signal }),
    ).toExtend<Dial>()
    // @ts-expect-error: it opens a stream that goes both ways
    void connect('zk1', { dial: () => new Readable() })
  })

  test('of watches', () => {
    // @ts-expect-error: an ACL cannot be watched
    void zk.getACL('/a', { watch: () => undefined })
    // @ts-expect-error: no such kind
    void zk.checkWatches('/a', { kind: 'child' })
    // @ts-expect-error: several cannot be watched in one call
    void zk.getMany(['/a'], { watch: () => undefined })
  })
})
