/**
 * What a user's program looks like. `scripts/check-matrix.ts` compiles it against the packed package
 * with several compilers, and runs it on several versions of Node, imported, required and bundled.
 */
import {
  connect,
  isZooKeeperError,
  type Stat,
  type TransactionCreateResult,
  type WatchEvent,
  type ZooKeeper,
} from 'zoowire'
import { operations } from 'zoowire/protocol'
import { Config, Election, type Lease, Lock, ServiceRegistry } from 'zoowire/recipes'
import { TestServer } from 'zoowire/testing'

interface Limits {
  readonly rate: number
}

/** Compiles only if `Actual` is `Expected`, and not merely assignable to it: `any` is neither. */
type Same<Actual, Expected> =
  (<T>() => T extends Actual ? 1 : 2) extends <T>() => T extends Expected ? 1 : 2 ? true : never

async function main(): Promise<void> {
  const server = await TestServer.start()
  const zk = await connect(server.connectString, { sessionTimeout: 10_000 })
  try {
    const seen = [await watchOne(zk), await observeOne(zk), await commit(zk), await useRecipes(zk)]
    console.log(seen.join(' '), operations.create2.code, await failure(zk))
  } finally {
    await zk.close()
    await server.close()
  }
}

async function watchOne(zk: ZooKeeper): Promise<string> {
  const watch = zk.watch('/watched')
  await watch.ready
  await zk.create('/watched')
  for await (const event of watch) {
    const { type, path }: WatchEvent = event
    return `${type}:${path}`
  }
  return 'no event'
}

async function observeOne(zk: ZooKeeper): Promise<string> {
  await zk.setData('/watched', 'seen')
  for await (const now of zk.observe('/watched')) {
    const bytes: Same<NonNullable<typeof now>['data'], Buffer | null> = true
    return bytes && String(now?.data)
  }
  return 'no value'
}

async function commit(zk: ZooKeeper): Promise<string> {
  const results = await zk
    .multi()
    .check('/watched')
    .create('/made', 'v1')
    .setData('/made', Buffer.from('v2'))
    .delete('/made')
    .commit()
  const typed: Same<typeof results, [undefined, TransactionCreateResult, Stat, undefined]> = true
  return typed && `${results[1].path}@${results[2].version}`
}

async function useRecipes(zk: ZooKeeper): Promise<string> {
  const held = await new Lock(zk, '/lock').run((lease: Lease) => Promise.resolve(lease.isHeld))
  const limits = await Config.open<Limits>(zk, '/limits')
  await limits.update((now) => ({ rate: (now?.rate ?? 0) + 7 }))
  await limits.close()
  const leader = await new Election(zk, '/leader').leader()
  const provider = await new ServiceRegistry(zk, '/services').discover('time')
  await provider.close()
  return `${held}/${limits.value?.rate ?? 0}/${leader?.id ?? 'nobody'}/${provider.instances.length}`
}

/** An error is one for every copy of the package: `require` and `import` give the same class. */
async function failure(zk: ZooKeeper): Promise<string> {
  try {
    await zk.getData('/nowhere')
    return 'no failure'
  } catch (error) {
    return isZooKeeperError(error, 'NO_NODE') ? error.outcome : String(error)
  }
}

void main()
