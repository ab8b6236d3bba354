/**
 * The in-process server against the real one: the same frames in, the same frames out, down to the
 * zxids. Only times, ids and the order of children may differ.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AddWatchMode, type Operation, operations } from '../../src/protocol/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'
import { openAcl, resumeRequest } from '../unit/testing/raw-client.ts'
import { type RecordedClient, type Scenario, Transcript } from './transcript.ts'

const superDigest = 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs=' // super:admin
const containerCheckInterval = 300

const create = (path: string, flags = 0, data: string | null = '', acl = openAcl) => {
  return { path, data: data === null ? null : Buffer.from(data), acl, flags }
}
const acl = (perms: number, scheme = 'world', id = 'anyone') => [{ perms, id: { scheme, id } }]
const login = (scheme: string, auth: string) => ({ type: 0, scheme, auth: Buffer.from(auth) })
const part = <Q>({ code }: Operation<Q>, request: Q) => ({ type: code, request })
const {
  create: createOp,
  create2,
  createContainer,
  createTTL,
  setData,
  getData,
  getChildren,
  getChildren2,
  exists,
  multi,
  multiRead,
  sync,
} = operations
const anyVersion = -1

const scenarios: Readonly<Record<string, Scenario>> = {
  async 'a fresh tree'(transcript) {
    const a = await transcript.connect('A')
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config', '']) {
      await a.call(getData, { path, watch: false })
      await a.call(getChildren2, { path, watch: false })
      await a.call(operations.getACL, { path })
    }
    await a.call(operations.getAllChildrenNumber, { path: '/' })
    await close(a)
  },

  async 'paths that can and cannot be created'(transcript) {
    const a = await transcript.connect('A')
    const paths = ['/a', '/a', '/a//b', '/./q', '//', '/a/..', '/\u0001', '/\u{1f600}', '/a/', '/']
    for (const path of [...paths, '', 'x', '/a\0', '/miss/x', '/zookeeper/x', '/zé€']) {
      await a.call(createOp, create(path))
      await a.call(exists, { path, watch: false })
    }
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config', 'x', '']) {
      await a.call(operations.delete, { path, version: anyVersion })
    }
    for (const path of ['/none', '/none/x', '/a/', '/a\0', '/zookeeper/x', '/a', '/zé€']) {
      await a.call(operations.delete, { path, version: anyVersion })
    }
    await close(a)
  },

  async 'flags, sequences and TTLs'(transcript) {
    const a = await transcript.connect('A')
    await a.call(createOp, create('/f'))
    for (const flags of [0, 1, 2, 3, 4, 5, 6, 7, -1]) {
      await a.call(createOp, create(`/f/c${flags}-`, flags))
      await a.call(create2, create(`/f/d${flags}-`, flags))
    }
    for (const path of ['/f/', '/f/.', '/f/x/']) await a.call(createOp, create(path, 2))
    for (const flags of [4, 0, 9]) {
      await a.call(createContainer, create(`/f/k${flags}`, flags))
    }
    const ttls = [
      [5, 60_000],
      [6, 60_000],
      [5, 0],
      [5, -1],
      [5, 0xff_ffff_ffff],
      [5, 0x100_0000_0000],
      [0, 5],
    ] as const
    for (const [index, [flags, ttl]] of ttls.entries()) {
      await a.call(createTTL, { ...create(`/f/t${index}`, flags), ttl })
    }
    await a.call(create2, create('/f/c1-/child'))
    await a.call(operations.getEphemerals, { prefixPath: '/f/c' })
    await a.call(operations.getEphemerals, { prefixPath: ' ' })
    await a.call(operations.getAllChildrenNumber, { path: '/f' })
    await a.call(getChildren2, { path: '/f', watch: false })
    await a.call(operations.delete, { path: '/f', version: 5 })
    await a.call(operations.delete, { path: '/f', version: anyVersion })
    await close(a)
  },

  async 'data and versions'(transcript) {
    const a = await transcript.connect('A')
    await a.call(create2, create('/d', 0, null))
    await a.call(getData, { path: '/d', watch: false })
    await a.call(setData, { path: '/d', data: Buffer.alloc(0), version: 0 })
    await a.call(getData, { path: '/d', watch: false })
    for (const version of [7, -2, 1]) await a.call(setData, { path: '/d', data: null, version })
    for (const path of ['/none', '/none/', '']) {
      await a.call(setData, { path, data: null, version: 7 })
    }
    await close(a)
  },

  async 'entries of ACLs'(transcript) {
    const a = await transcript.connect('A')
    await a.call(createOp, create('/acl'))
    const entries = [
      ['world', 'me'],
      ['digest', 'a:b:c'],
      ['digest', 'a:'],
      ['digest', ':b'],
      ['digest', 'a'],
      ['auth', ''],
      ['ip', '1.2.3'],
      ['ip', '1.2.3.4/33'],
      ['ip', '1.2.3.4/'],
      ['ip', '1.2.3.4/0'],
      ['ip', 'fe80::/10'],
      ['ip', 'fe80::/129'],
      ['super', ''],
      ['x', 'y'],
    ] as const
    for (const [scheme, id] of entries) {
      await a.call(createOp, create('/acl/n', 2, '', acl(31, scheme, id)))
      await a.call(createOp, create('/nowhere/n', 2, '', acl(31, scheme, id)))
    }
    for (const list of [[], acl(99), acl(0), [...openAcl, ...openAcl, ...acl(1, 'ip', '::1')]]) {
      const path = `/acl/list${list.length}-${list[0]?.perms}`
      await a.call(createOp, create(path, 0, '', list))
      await a.call(operations.getACL, { path })
    }
    await close(a)
  },

  async 'who may do what'(transcript) {
    const a = await transcript.connect('A')
    const b = await transcript.connect('B')
    await a.call(operations.auth, login('digest', 'bob:secret'))
    await a.call(operations.auth, login('ip', ''))
    await a.call(operations.whoAmI, undefined)
    await a.call(createOp, create('/bob', 0, 'x', acl(31, 'auth', '')))
    await a.call(createOp, create('/bob/child'))
    await tryEverything(a, '/bob')
    await tryEverything(b, '/bob')
    const list = [...acl(1), ...acl(31, 'digest', 'bob:fyVmFCwVbTJYrznoSu1koqYEYF0=')]
    await a.call(operations.setACL, { path: '/bob', acl: list, version: anyVersion })
    await tryEverything(b, '/bob')
    await b.call(operations.auth, login('digest', 'super:admin'))
    await b.call(operations.whoAmI, undefined)
    await tryEverything(b, '/bob')
    await close(a, b)
  },

  async 'multi and multiRead'(transcript) {
    const a = await transcript.connect('A')
    await a.call(createOp, create('/m'))
    await a.call(createOp, create('/n'))
    for (const parts of transactions) await a.call(multi, parts)
    await a.call(getChildren2, { path: '/m', watch: false })
    const read = part(getData, { path: '/m', watch: true })
    const write = part(createOp, create('/y'))
    const missing = part(getChildren, { path: '/none', watch: true })
    for (const parts of [[read, missing], [write], [read, write], []]) {
      await a.call(multiRead, parts)
    }
    await close(a)
  },

  async 'one-shot watches'(transcript) {
    const a = await transcript.connect('A')
    const calls = writesOf(a)
    await calls.create('/w')
    await a.call(getData, { path: '/w', watch: true })
    await a.call(getChildren, { path: '/w', watch: true })
    await a.call(getChildren, { path: '/', watch: true })
    await calls.remove('/w')
    await a.call(exists, { path: '/w', watch: true })
    await a.call(getData, { path: '/w', watch: true })
    await calls.create('/w')
    await a.call(getChildren2, { path: '/w', watch: true })
    await calls.change('/w')
    await calls.create('/w/1')
    await calls.create('/w/2')
    await a.call(getChildren2, { path: '/w', watch: true })
    await a.call(exists, { path: '/w/4', watch: true })
    await a.call(multi, [part(createOp, create('/w/3')), part(createOp, create('/w/4'))])
    await close(a)
  },

  async 'persistent and recursive watches'(transcript) {
    const a = await transcript.connect('A')
    const calls = writesOf(a)
    const recursive = AddWatchMode['persistent-recursive']
    await a.call(operations.addWatch, { path: '/p', mode: AddWatchMode.persistent })
    await a.call(operations.addWatch, { path: '/r', mode: recursive })
    await a.call(operations.addWatch, { path: 'not//a/path', mode: recursive })
    await a.call(operations.addWatch, { path: '/p', mode: 2 })
    for (const path of ['/p', '/p/1', '/r', '/r/1', '/r/1/2', '/rr']) await calls.create(path)
    for (const path of ['/p', '/p/1', '/r/1/2']) await calls.change(path)
    for (const path of ['/p/1', '/p', '/r/1/2', '/r/1', '/r', '/rr']) await calls.remove(path)
    await close(a)
  },

  async 'all kinds of watches on one path'(transcript) {
    const a = await transcript.connect('A')
    const calls = writesOf(a)
    await calls.create('/k')
    for (const mode of [0, 1]) await a.call(operations.addWatch, { path: '/k', mode })
    await a.call(getData, { path: '/k', watch: true })
    await a.call(getChildren, { path: '/k', watch: true })
    for (const type of [0, 1, 2, 3, 4, 5, 6]) {
      await a.call(operations.checkWatches, { path: '/k', type })
    }
    await calls.change('/k')
    await calls.create('/k/1')
    for (const type of [1, 2, 4, 5, 3, 9]) {
      await a.call(operations.removeWatches, { path: '/k', type })
    }
    await a.call(getData, { path: '/k', watch: true })
    await a.call(operations.addWatch, { path: '/', mode: 1 })
    await a.call(multi, [
      part(operations.delete, { path: '/k/1', version: anyVersion }),
      part(operations.delete, { path: '/k', version: anyVersion }),
    ])
    await close(a)
  },

  async 'watches of those who may not read'(transcript) {
    const a = await transcript.connect('A')
    const b = await transcript.connect('B')
    await b.call(exists, { path: '/secret', watch: true })
    await b.call(getChildren, { path: '/', watch: true })
    await a.call(createOp, create('/secret', 0, '', acl(30)))
    await b.call(sync, { path: 'what//ever' })
    await close(a, b)
  },

  async 'watches after a reconnect'(transcript) {
    const a = await transcript.connect('A')
    const calls = writesOf(a)
    for (const path of ['/s', '/s2']) await calls.create(path)
    await a.call(sync, { path: '/' })
    const relativeZxid = (await a.raw.call(sync, { path: '/' })).zxid
    await calls.change('/s')
    await calls.create('/s/new')
    const b = await transcript.connect('B')
    const request = {
      relativeZxid,
      dataWatches: ['/s', '/s2', '/gone'],
      existWatches: ['/s2', '/later'],
      childWatches: ['/s', '/s2', '/gone'],
    }
    await b.call(operations.setWatches2, {
      ...request,
      persistentWatches: ['/s'],
      persistentRecursiveWatches: ['/s2'],
    })
    await calls.create('/later')
    await calls.change('/s2')
    await calls.create('/s2/1')
    await calls.create('/s/1')
    await b.call(sync, { path: '/' })
    await b.call(operations.setWatches, { ...request, relativeZxid: 0n })
    await close(a, b)
  },

  async 'the end of a session'(transcript) {
    const a = await transcript.connect('A')
    const b = await transcript.connect('B')
    await b.call(createOp, create('/eph', 1))
    for (const client of [a, b]) await client.call(exists, { path: '/eph', watch: true })
    await a.call(getChildren, { path: '/', watch: true })
    await close(b)
    await a.call(sync, { path: '/' })
    await close(a)
  },

  async 'resuming, with the password and without'(transcript) {
    const a = await transcript.connect('A')
    const resume = resumeRequest(a.raw)
    await a.call(createOp, create('/mine', 1))
    const a2 = await transcript.connect('A', { ...resume, timeOut: 7000 })
    await a.frame()
    await a2.call(operations.getEphemerals, { prefixPath: '/' })
    const thief = await transcript.connect('thief', { ...resume, passwd: Buffer.alloc(16) })
    await thief.frame()
    await a2.frame()
    const a3 = await transcript.connect('A', { ...resume, readOnly: null })
    await close(a3)
    const late = await transcript.connect('late', resume)
    await late.frame()
    const ahead = await transcript.connect('ahead', { lastZxidSeen: 0xffff_ffffn })
    await ahead.frame()
  },

  async 'what a client must not send'(transcript) {
    const header = (type: number) => `00000007${(type >>> 0).toString(16).padStart(8, '0')}`
    const frames = {
      'an unknown opcode': `00000008${header(4711)}`,
      'a create without a body': `00000008${header(1)}`,
      'a multi of an unknown type': `00000010${header(14)}0000006300ffffff`,
      'a multiRead of an unknown type': `00000010${header(22)}0000006300ffffff`,
      'half a setWatches': `0000000d${header(101)}0000000000`,
      'a check outside a multi': `00000012${header(13)}000000022f6100000000`,
      'half a header': '0000000400000001',
      'an empty frame': '00000000',
      'an oversized frame': '00100000',
      'half an auth packet': `00000008${header(100)}`,
      'a SASL token of null': `0000000c${header(102)}ffffffff`,
      'a SASL token': `0000000c${header(102)}00000000`,
    }
    for (const [name, bytes] of Object.entries(frames)) {
      const client = await transcript.connect(name)
      client.raw.send(bytes)
      client.raw.request(sync, { path: '/' }) // answered where the connection survives
      await client.frame()
      await client.raw.close()
    }
    const a = await transcript.connect('A')
    const nothing = { joiningServers: null, leavingServers: null, newMembers: null }
    await a.call(operations.reconfig, { ...nothing, curConfigId: -1n })
    await a.call(operations.auth, login('world', 'anyone'))
    await a.frame()
  },

  // Last, because nobody knows when it spends its zxids.
  async 'containers and TTL znodes that go'(transcript) {
    const a = await transcript.connect('A')
    await a.call(createContainer, create('/container', 4))
    await a.call(createOp, create('/container/1'))
    await a.call(exists, { path: '/container', watch: true })
    await a.call(operations.delete, { path: '/container/1', version: anyVersion })
    await a.event()
    await a.raw.call(createTTL, { ...create('/ttl', 5), ttl: 10 })
    await a.raw.call(exists, { path: '/ttl', watch: true })
    await a.event()
  },
}

const transactions = [
  [
    part(operations.check, { path: '/m', version: 0 }),
    part(create2, create('/m/1', 0, 'm')),
    part(setData, { path: '/m', data: Buffer.from('v1'), version: 0 }),
    part(operations.delete, { path: '/n', version: anyVersion }),
  ],
  [
    part(createOp, create('/m/2')),
    part(createOp, create('/m/2/k')),
    part(createOp, create('/m/2/s-', 2)),
    part(createOp, create('/m/2/s-', 3)),
    part(operations.delete, { path: '/m/2/k', version: anyVersion }),
    part(createOp, create('/m/2/c', 4)),
    part(createContainer, create('/m/2/cc', 4)),
    part(createTTL, { ...create('/m/2/t', 5), ttl: 50_000 }),
  ],
  [part(createOp, create('/x')), part(createOp, create('/m')), part(createOp, create('/y'))],
  [
    part(setData, { path: '/m', data: Buffer.from('no'), version: 1 }),
    part(createOp, create('/m/2/s-', 2)),
    part(operations.delete, { path: '/m/1', version: 3 }),
  ],
  [],
  [part(getData, { path: '/m', watch: false })],
  [part(createOp, create('/x')), part(getData, { path: '/m', watch: false })],
  [part(createOp, create('/x', 5))],
  [part(createOp, create('/x', 9))],
  [part(createTTL, { ...create('/m/flags0'), ttl: 5 })],
  [part(createTTL, { ...create('/m/flags9', 9), ttl: 5 })],
  [part(createContainer, create('/m/container0', 0))],
  [part(createContainer, create('/m/container1', 1))],
  [part(create2, create('/m/create2-4', 4))],
  [part(createContainer, create('/m/cc1', 1)), part(createOp, create('/m/cc1/k'))],
  [
    part(createContainer, create('/m/cc1', 1)),
    part(operations.delete, { path: '/m/cc1', version: anyVersion }),
    part(createContainer, create('/m/cc1', 4)),
    part(createOp, create('/m/cc1/k')),
  ],
  [part(operations.check, { path: '/', version: anyVersion })],
]

describeReal('the test server answers like Apache ZooKeeper', ({ version }) => {
  let real: ZooKeeperServer
  let ours: TestServer

  beforeAll(async () => {
    real = await ZooKeeperServer.start({
      tickTimeMs: 500,
      jvmProperties: { 'znode.container.checkIntervalMs': containerCheckInterval },
      config: {
        extendedTypesEnabled: true,
        'DigestAuthenticationProvider.superDigest': superDigest,
      },
    })
    ours = await TestServer.start({ tickTime: 500, superDigest, containerCheckInterval })
  })

  afterAll(async () => {
    await ours.close()
    await real[Symbol.asyncDispose]()
  })

  // It is one of 3.9: others differ, in the places that the documentation of the protocol lists.
  const isComparable = version.startsWith('3.9.')
  if (!isComparable) console.warn(`skipped: the in-process server is a 3.9, not a ${version}`)
  test.skipIf(!isComparable).each(Object.entries(scenarios))('%s', async (_, scenario) => {
    const expected = await Transcript.of(real.port, scenario)
    expect(await Transcript.of(ours.port, scenario)).toEqual(expected)
  })
})

/** One call of each kind on `path` and its child, most of them with a version that is wrong. */
async function tryEverything(client: RecordedClient, path: string): Promise<void> {
  const version = 99
  await client.call(operations.getACL, { path })
  await client.call(exists, { path, watch: false })
  await client.call(getData, { path, watch: false })
  await client.call(getChildren, { path, watch: false })
  await client.call(operations.getAllChildrenNumber, { path })
  await client.call(setData, { path, data: null, version })
  await client.call(createOp, create(`${path}/child`))
  await client.call(operations.delete, { path: `${path}/child`, version })
  await client.call(operations.setACL, { path, acl: openAcl, version })
  await client.call(operations.setACL, { path, acl: [], version })
  await client.call(multi, [part(operations.check, { path, version })])
}

function writesOf(client: RecordedClient) {
  return {
    create: (path: string) => client.call(create2, create(path)),
    change: (path: string) => client.call(setData, { path, data: null, version: anyVersion }),
    remove: (path: string) => client.call(operations.delete, { path, version: anyVersion }),
  }
}

/** Ends sessions now: one that expires in a later scenario would spend a zxid there. */
async function close(...clients: RecordedClient[]): Promise<void> {
  for (const client of clients) {
    await client.call(operations.closeSession, undefined)
    await client.frame()
  }
}
