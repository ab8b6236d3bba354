import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ZooKeeper } from '../../src/index.ts'
import { type ProfileName, TestServer } from '../../src/testing/index.ts'
import { fourLetterWord } from '../support/four-letter-word.ts'
import { openAt } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { comparedWords, figuresIn, shapeOf } from '../support/word-shape.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

// People's health checks read the answers to four-letter words by their own rules. So what the in-process
// server answers is compared with what ZooKeeper does, of the same version and in the same situation.

describeReal('what four-letter words are answered', (shared) => {
  let real: ZooKeeperServer
  let ours: TestServer
  beforeAll(async () => {
    real = await ZooKeeperServer.start()
    const profile = shared.version.split('.').slice(0, 2).join('.') as ProfileName
    ours = await TestServer.start({ profile, tickTime: 500 })
  })
  afterAll(async () => {
    await ours?.close()
    await real?.[Symbol.asyncDispose]()
  })

  test('has the same lines, in the same order', async () => {
    const shapes = []
    for (const server of [real, ours]) {
      const { sessions, close } = await populate(server, shared.version)
      const answers: [string, string[]][] = []
      for (const word of comparedWords) {
        answers.push([word, shapeOf(await fourLetterWord(server.port, word), sessions)])
      }
      await close()
      shapes.push(Object.fromEntries(answers))
    }
    const [expected, actual] = shapes
    for (const word of comparedWords) expect(actual![word], word).toEqual(expected![word])
  })

  test('to `mntr` are figures that the other server has, too, and the same ones of sessions and znodes', async () => {
    const all = []
    for (const server of [real, ours]) {
      const { close } = await populate(server, shared.version)
      all.push(figuresIn(await fourLetterWord(server.port, 'mntr')))
      await close()
    }
    const [expected, actual] = all
    const names = [...actual!.keys()]
    expect(names.filter((name) => !expected!.has(name))).toEqual([])
    expect(names).toEqual(expect.arrayContaining(everywhere))
    expect(names.slice(0, 2)).toEqual([...expected!.keys()].slice(0, 2))
    const counts = names.filter((name) => !measured.has(name))
    for (const name of counts) expect(actual!.get(name), name).toBe(expected!.get(name))
    if (names.length === everywhere.length) expect(names).toEqual([...expected!.keys()])
  })

  test('sets counters back', async () => {
    for (const server of [real, ours]) {
      const { sessions, close } = await populate(server, shared.version)
      expect(await fourLetterWord(server.port, 'crst')).toBe('Connection stats reset.\n')
      const lines = shapeOf(await fourLetterWord(server.port, 'cons'), sessions)
      expect(lines.filter((line) => line.includes('(queued=0,recved=0,sent=0,sid='))).toHaveLength(
        2,
      )
      await fourLetterWord(server.port, 'srvr')
      expect(await fourLetterWord(server.port, 'srst')).toBe('Server stats reset.\n')
      expect(await fourLetterWord(server.port, 'srvr')).toMatch(/^Received: [01]\nSent: [01]$/m)
      await close()
    }
  })

  test('to what is none is the end of the connection', async () => {
    for (const { port } of [real, ours]) expect(await fourLetterWord(port, 'lead')).toBe('')
  })
})

type Port = Pick<ZooKeeperServer, 'port' | 'connectString'>

/** Two clients, with ephemerals and watches of every kind. */
async function populate({ port, connectString }: Port, version: string) {
  const open = () => openAt(connectString, { sessionTimeout: 30_000 })
  const clients: readonly [ZooKeeper, ZooKeeper] = [await open(), await open()]
  const [first, second] = clients
  const watch = () => undefined
  await first.create('/a', 'some data', { mode: 'ephemeral' })
  await first.create('/b', 'x', { mode: 'ephemeral' })
  await first.getData('/a', { watch })
  await first.getChildren('/', { watch })
  await first.exists('/none', { watch })
  await second.exists('/a', { watch })
  if (!version.startsWith('3.5.')) {
    await second.watch('/a').ready
    await second.watch('/a', { recursive: true }).ready
  }
  return {
    sessions: clients.map((zk) => zk.session.id),
    close: async () => {
      for (const zk of clients) await zk.close()
      const summary = () => fourLetterWord(port, 'srvr')
      await expect.poll(summary).toMatch(/^Connections: 1$/m) // the one that asks
    },
  }
}

/** What `mntr` tells in every version, in the order of 3.5. */
const everywhere = [
  'zk_version',
  'zk_avg_latency',
  'zk_max_latency',
  'zk_min_latency',
  'zk_packets_received',
  'zk_packets_sent',
  'zk_num_alive_connections',
  'zk_outstanding_requests',
  'zk_server_state',
  'zk_znode_count',
  'zk_watch_count',
  'zk_ephemerals_count',
  'zk_approximate_data_size',
  'zk_open_file_descriptor_count',
  'zk_max_file_descriptor_count',
]

/** Each server's own. */
const measured: ReadonlySet<string> = new Set([
  'zk_version',
  'zk_avg_latency',
  'zk_max_latency',
  'zk_min_latency',
  'zk_packets_received',
  'zk_packets_sent',
  'zk_open_file_descriptor_count',
  'zk_max_file_descriptor_count',
  'zk_uptime',
])
