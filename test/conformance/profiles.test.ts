/**
 * The in-process server in the profile of the real server's version, against that server: where the
 * versions differ, both differ alike.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AddWatchMode, type Operation, operations, Perms } from '../../src/protocol/index.ts'
import { type ProfileName, TestServer } from '../../src/testing/index.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'
import { openAcl } from '../unit/testing/raw-client.ts'
import { type RecordedClient, type Scenario, Transcript } from './transcript.ts'

const { addWatch, create2, exists, getChildren, getData, multi, removeWatches, setData, sync } =
  operations
const { persistent, 'persistent-recursive': recursive } = AddWatchMode
const anyVersion = -1
const create = (path: string, acl = openAcl) => ({ path, data: null, acl, flags: 0 })

/** Every way to watch a path. */
const ways: Readonly<Record<string, (client: RecordedClient, path: string) => Promise<void>>> = {
  data: (client, path) => client.call(getData, { path, watch: true }),
  child: (client, path) => client.call(getChildren, { path, watch: true }),
  persistent: (client, path) => client.call(addWatch, { path, mode: persistent }),
  recursive: (client, path) => client.call(addWatch, { path, mode: recursive }),
}

async function changeEverything(client: RecordedClient, path: string): Promise<void> {
  await client.call(setData, { path, data: null, version: anyVersion })
  await client.call(create2, create(`${path}/x`))
  await client.call(setData, { path: `${path}/x`, data: null, version: anyVersion })
  await client.call(operations.delete, { path: `${path}/x`, version: anyVersion })
  await client.call(setData, { path, data: null, version: anyVersion })
}

const modern: Readonly<Record<string, Scenario>> = {
  async 'two watches on one path'(transcript) {
    const a = await transcript.connect('A')
    for (const [first, setFirst] of Object.entries(ways)) {
      for (const [second, setSecond] of Object.entries(ways)) {
        const path = `/${first}-${second}`
        await a.call(create2, create(path))
        await setFirst(a, path)
        await setSecond(a, path)
        await changeEverything(a, path)
        await changeEverything(a, path)
        await a.call(removeWatches, { path, type: 3 })
      }
    }
    await close(a)
  },

  async 'removal by type'(transcript) {
    const a = await transcript.connect('A')
    for (const [way, set] of Object.entries(ways)) {
      for (const type of [1, 2, 3, 4, 5, 6]) {
        const path = `/${way}-${type}`
        await a.call(create2, create(path))
        await set(a, path)
        await a.call(operations.checkWatches, { path, type })
        await a.call(removeWatches, { path, type })
        await a.call(operations.checkWatches, { path, type })
        await changeEverything(a, path)
        await a.call(removeWatches, { path, type: 3 })
      }
    }
    await close(a)
  },

  async 'a watch of somebody else'(transcript) {
    const a = await transcript.connect('A')
    const b = await transcript.connect('B')
    const path = '/watched'
    await a.call(create2, create(path))
    await a.call(addWatch, { path, mode: persistent })
    await a.call(getData, { path, watch: true })
    for (const type of [1, 2, 3]) {
      await b.call(operations.checkWatches, { path, type })
      await b.call(removeWatches, { path, type })
    }
    await close(a)
    await close(b)
  },

  async 'all watches set at once, behind one another'(transcript) {
    const a = await transcript.connect('A')
    const path = '/set'
    await a.call(create2, create(path))
    await a.call(operations.setWatches2, {
      relativeZxid: 0x7fff_ffffn,
      dataWatches: [path],
      existWatches: ['/set/missing'],
      childWatches: [path],
      persistentWatches: [path],
      persistentRecursiveWatches: [path],
    })
    await changeEverything(a, path)
    await changeEverything(a, path)
    await close(a)
  },
}

const all: Readonly<Record<string, Scenario>> = {
  async 'operations that came with some version'(transcript) {
    for (const operation of Object.values<Operation>(operations)) {
      if (operation.since < '3.5' || operation === operations.reconfig) continue
      const a = await transcript.connect('A')
      a.raw.request(operation, requestOf(operation.name), 7)
      const frame = await a.raw.takeFrame()
      const isRefused = frame?.readInt32BE(12) === -6 && frame.readBigInt64BE(4) === -1n
      transcript.note(`${operation.name} is refused`, isRefused)
      if (isRefused) await a.frame()
      else await close(a)
    }
  },

  async 'a create2 in a transaction'(transcript) {
    const a = await transcript.connect('A')
    await a.call(multi, [{ type: create2.code, request: create('/created') }])
    const { code: type } = operations.createContainer
    await a.call(multi, [{ type, request: create('/contained') }])
    await close(a)
  },

  async 'znodes that may not be read'(transcript) {
    const a = await transcript.connect('A')
    const hidden = [{ perms: Perms.ALL & ~Perms.READ, id: { scheme: 'world', id: 'anyone' } }]
    await a.call(create2, create('/hidden', hidden))
    await a.call(exists, { path: '/hidden', watch: true })
    await a.call(exists, { path: '/hidden/below', watch: true })
    await a.call(setData, { path: '/hidden', data: null, version: anyVersion })
    await a.call(create2, create('/hidden/below', hidden))
    await a.call(sync, { path: '/' })
    await close(a)
  },
}

describeReal('a test server with the profile of', ({ version }) => {
  let real: ZooKeeperServer
  let ours: TestServer

  beforeAll(async () => {
    real = await ZooKeeperServer.start()
    const profile = version.split('.').slice(0, 2).join('.') as ProfileName
    ours = await TestServer.start({ tickTime: 500, profile })
  })
  afterAll(async () => {
    await ours.close()
    await real[Symbol.asyncDispose]()
  })

  const hasModes = !version.startsWith('3.5.')
  if (!hasModes) console.warn(`skipped: persistent watches, which a ${version} does not have`)
  const scenarios = { ...all, ...(hasModes ? modern : {}) }
  test.each(Object.entries(scenarios))('%s', async (_, scenario) => {
    const expected = await Transcript.of(real.port, scenario)
    expect(await Transcript.of(ours.port, scenario)).toEqual(expected)
  })
})

/** Something that can be decoded, whatever comes of it. */
function requestOf(name: string): unknown {
  const path = `/${name}`
  const lists = { dataWatches: [], existWatches: [], childWatches: [] }
  const requests: Readonly<Record<string, unknown>> = {
    multiRead: [],
    getEphemerals: { prefixPath: '/' },
    checkWatches: { path, type: 3 },
    removeWatches: { path, type: 3 },
    addWatch: { path, mode: persistent },
    createContainer: { ...create(path), flags: 4 },
    createTTL: { ...create(path), flags: 5, ttl: 60_000 },
    setWatches2: {
      relativeZxid: 0n,
      ...lists,
      persistentWatches: [],
      persistentRecursiveWatches: [],
    },
  }
  return requests[name] ?? create(path)
}

async function close(client: RecordedClient): Promise<void> {
  await client.call(operations.closeSession, undefined)
  await client.frame()
}
