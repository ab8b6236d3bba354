/** Quotas on the in-process server and on the real one, frame by frame: both count and refuse alike. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Operation, operations } from '../../src/protocol/index.ts'
import { type ProfileName, TestServer } from '../../src/testing/index.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'
import { openAcl } from '../unit/testing/raw-client.ts'
import { type RecordedClient, type Scenario, Transcript } from './transcript.ts'

const { create: createOp, create2, getData, multi, setData } = operations

const scenarios: Readonly<Record<string, Scenario>> = {
  async 'counts what there is, and what comes and goes'(transcript) {
    const a = await transcript.connect('A')
    await a.call(createOp, create('/counted', 'four'))
    await a.call(createOp, create('/counted/early', 'bytes'))
    await limit(a, '/counted', 'count=2,bytes=10')
    await tellStats(a, '/counted')
    await a.call(create2, create('/counted/a', 'abc'))
    await a.call(create2, create('/counted/a/b', null))
    await a.call(create2, create('/counted/mine', '', 1))
    await a.call(setData, { path: '/counted/a', data: Buffer.from('12345'), version: -1 })
    await a.call(setData, { path: '/counted/a', data: null, version: -1 })
    await tellStats(a, '/counted')
    await a.call(operations.delete, { path: '/counted/a/b', version: -1 })
    await a.call(createOp, create('/counted-not', 'a sibling'))
    await tellStats(a, '/counted')
    await close(a)
    const b = await transcript.connect('B')
    await tellStats(b, '/counted')
    await close(b)
  },

  async 'refuses what is more than a hard limit'(transcript) {
    const a = await transcript.connect('A')
    await a.call(createOp, create('/hard', '12'))
    await limit(a, '/hard', 'count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=3')
    await a.call(create2, create('/hard/a', '12345678'))
    await a.call(create2, create('/hard/a', 'more'))
    await a.call(create2, create('/hard/b', '1'))
    await a.call(setData, { path: '/hard/a', data: Buffer.from('123456789'), version: 7 })
    await a.call(setData, { path: '/hard/a', data: Buffer.from('1234567'), version: 7 })
    await a.call(setData, { path: '/hard/a', data: Buffer.from('1234567'), version: 0 })
    await a.call(createOp, create('/hard/s-', '1', 2))
    await a.call(createOp, create('/hard/c', null))
    await tellStats(a, '/hard')
    await close(a)
  },

  async 'only warns of soft limits'(transcript) {
    const a = await transcript.connect('A')
    await a.call(createOp, create('/soft', ''))
    await limit(a, '/soft', 'count=1,bytes=1')
    await a.call(create2, create('/soft/a', 'much'))
    await tellStats(a, '/soft')
    await close(a)
  },

  async 'counts no multi before its end'(transcript) {
    const a = await transcript.connect('A')
    await a.call(createOp, create('/all', ''))
    await limit(a, '/all', 'count=-1,bytes=-1=;countHardLimit=2')
    const parts = ['a', 'b', 'c'].map((name) => part(createOp, create(`/all/${name}`, 'x')))
    await a.call(multi, parts)
    await tellStats(a, '/all')
    await a.call(multi, [part(createOp, create('/all/d', 'x'))])
    await tellStats(a, '/all')
    const path = '/zookeeper/quota/all'
    await a.call(multi, [
      part(operations.delete, { path: `${path}/zookeeper_limits`, version: -1 }),
      part(createOp, create('/all/e', 'x')),
      part(createOp, create('/none/f', 'x')),
    ])
    await a.call(multi, [
      part(operations.delete, { path: '/all/a', version: -1 }),
      part(operations.delete, { path: '/none', version: -1 }),
    ])
    await tellStats(a, '/all')
    await close(a)
  },

  async 'knows the nearest limit only, and none that is gone'(transcript) {
    const a = await transcript.connect('A')
    await a.call(createOp, create('/outer', ''))
    await a.call(createOp, create('/outer/inner', ''))
    await limit(a, '/outer', 'count=-1,bytes=-1=;countHardLimit=2')
    await limit(a, '/outer/inner', 'count=-1,bytes=-1=;countHardLimit=2')
    await a.call(createOp, create('/outer/inner/a', 'x'))
    await a.call(createOp, create('/outer/inner/b', 'x'))
    await tellStats(a, '/outer')
    await tellStats(a, '/outer/inner')
    const path = '/zookeeper/quota/outer/inner/zookeeper_limits'
    await a.call(operations.delete, { path, version: -1 })
    await a.call(createOp, create('/outer/inner/b', 'x'))
    await tellStats(a, '/outer')
    await tellStats(a, '/outer/inner')
    await close(a)
  },

  async 'refuses nobody without amounts, and everybody if a limit cannot be read'(transcript) {
    const a = await transcript.connect('A')
    await a.call(createOp, create('/odd', ''))
    await a.call(createOp, create('/zookeeper/quota/odd', ''))
    const path = '/zookeeper/quota/odd/zookeeper_limits'
    await a.call(createOp, create(path, 'count=-1,bytes=-1=;countHardLimit=0'))
    await a.call(createOp, create('/odd/a', ''))
    await a.call(createOp, create('/zookeeper/quota/odd/zookeeper_stats', 'anything'))
    await tellStats(a, '/odd')
    await a.call(createOp, create('/odd/b', ''))
    await a.call(setData, { path, data: Buffer.from('nonsense'), version: -1 })
    await a.call(createOp, create('/odd/c', ''))
    await a.call(setData, { path, data: Buffer.from('countHardLimit=3'), version: -1 })
    await a.call(createOp, create('/odd/c', ''))
    await a.call(createOp, create('/odd/d', ''))
    await close(a)
  },
}

describeReal('quotas', ({ version }) => {
  let real: ZooKeeperServer
  let ours: TestServer

  beforeAll(async () => {
    real = await ZooKeeperServer.start({ jvmProperties: { 'zookeeper.enforceQuota': true } })
    const profile = version.split('.').slice(0, 2).join('.') as ProfileName
    ours = await TestServer.start({ tickTime: 500, profile, enforceQuota: true })
  })
  afterAll(async () => {
    await ours.close()
    await real[Symbol.asyncDispose]()
  })

  // Older servers can read no limits but soft ones.
  const isOld = /^3\.[56]\./.test(version)
  if (isOld) console.warn(`skipped: hard limits, which a ${version} does not have`)
  const playable = Object.entries(scenarios).filter(
    ([name]) => !isOld || /counts what|soft/.test(name),
  )
  test.each(playable)('%s', async (_, scenario) => {
    const expected = await Transcript.of(real.port, scenario)
    expect(await Transcript.of(ours.port, scenario)).toEqual(expected)
  })
})

function create(path: string, data: string | null, flags = 0) {
  return { path, data: data === null ? null : Buffer.from(data), acl: openAcl, flags }
}

function part<Q>({ code }: Operation<Q>, request: Q) {
  return { type: code, request }
}

/** As `setquota` of ZooKeeper's own command line does. */
async function limit(client: RecordedClient, path: string, limits: string): Promise<void> {
  const quota = `/zookeeper/quota${path}`
  await client.call(createOp, create(quota, ''))
  await client.call(create2, create(`${quota}/zookeeper_limits`, limits))
  await client.call(create2, create(`${quota}/zookeeper_stats`, 'count=0,bytes=0'))
}

async function tellStats(client: RecordedClient, path: string): Promise<void> {
  await client.call(getData, { path: `/zookeeper/quota${path}/zookeeper_stats`, watch: false })
}

async function close(client: RecordedClient): Promise<void> {
  await client.call(operations.closeSession, undefined)
  await client.frame()
}
