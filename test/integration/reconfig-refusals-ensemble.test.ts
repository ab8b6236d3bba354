/** How leaders refuse a `reconfig`: real ones and those in this process, code by code. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { operations, type records } from '../../src/protocol/index.ts'
import { TestEnsemble } from '../../src/testing/index.ts'
import { fourLetterWord } from '../support/four-letter-word.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts'
import { RawClient } from '../unit/testing/raw-client.ts'

interface Ensemble {
  readonly leaderPort: () => Promise<number>
  /** Followers lag behind: they hear of nothing that is decided. */
  readonly hold: () => Promise<void>
  readonly release: () => void
  readonly close: () => Promise<void>
}

const superDigest = 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs=' // super:admin

async function startTest(): Promise<Ensemble> {
  const ensemble = await TestEnsemble.start({ reconfigEnabled: true, superDigest })
  const { followers } = ensemble
  return {
    leaderPort: async () => ensemble.leader!.port,
    hold: async () => {
      for (const follower of followers) follower.hold()
    },
    release: () => {
      for (const follower of followers) follower.release()
    },
    close: () => ensemble.close(),
  }
}

async function startReal(): Promise<Ensemble> {
  const ensemble = await ZooKeeperEnsemble.start({ config: { standaloneEnabled: true } })
  const followers = await ensemble.followers()
  return {
    leaderPort: async () => (await ensemble.leader()).port,
    hold: async () => {
      for (const follower of followers) follower.pause()
    },
    release: () => {
      for (const follower of followers) follower.resume()
    },
    close: () => ensemble[Symbol.asyncDispose](),
  }
}

const { auth, getData, reconfig } = operations
const nothing = { joiningServers: null, leavingServers: null, newMembers: null, curConfigId: -1n }
type Change = Partial<records.ReconfigRequest>

/** Whoever joins cannot be reached: what is not refused for itself, is refused for want of a quorum. */
const joining = (...joiningServers: readonly string[]): Change => ({
  joiningServers: joiningServers.join(','),
  leavingServers: '1,2',
})
const members = (...lines: readonly string[]): Change => ({ newMembers: lines.join(',') })

const [ok, one, other] = ['server.8', '10.0.0.8', '10.0.0.9']
const noQuorum = -13
const badArguments = -8
const marshallingError = -5
const badVersion = -103
const noAuth = -102
const inProgress = -14

const cases: readonly (readonly [title: string, change: Change, err: number])[] = [
  ['two that nobody can reach', joining(`${ok}=${one}:1:2;3`, `server.9=${other}:1:2;3`), noQuorum],
  ['one address for two', joining(`${ok}=${one}:1:2;3`, `server.9=${one}:1:4;5`), badArguments],
  [
    'a port for members that is a port for clients of another',
    joining(`${ok}=${one}:1:2;${one}:3`, `server.9=${one}:3:4;${one}:5`),
    badArguments,
  ],
  [
    'one port for clients at all addresses of two machines',
    joining(`${ok}=${one}:1:2;3`, `server.9=${other}:1:2;3`),
    noQuorum,
  ],
  [
    'one address for two on this machine',
    joining(`${ok}=127.0.0.1:1:2;3`, 'server.9=127.0.0.1:1:2;3'),
    noQuorum,
  ],
  ['the address of one that it replaces', joining(`${ok}=${one}:1:2;3`, `${ok}=${one}:1:2;3`), -13],
  ['one port for both uses among members', joining(`${ok}=${one}:1:1;3`), badArguments],
  ['a name alone', joining(ok), badArguments],
  ['two equals signs', joining(`${ok}=${one}:1:2;3=4`), badArguments],
  ['an id that is no number', joining(`server.x=${one}:1:2;3`), marshallingError],
  ['another word before the id', joining(`foo.8=${one}:1:2;3`, `9=${other}:1:2;3`), noQuorum],
  ['no port for clients', joining(`${ok}=${one}:1:2`), badArguments],
  ['one port for members', joining(`${ok}=${one}:1;3`), badArguments],
  ['too many ports for members', joining(`${ok}=${one}:1:2:participant:4;3`), badArguments],
  ['a port that is no number', joining(`${ok}=${one}:x:2;3`), badArguments],
  ['a port for clients that is no number', joining(`${ok}=${one}:1:2; 3`), badArguments],
  ['a port that is too high', joining(`${ok}=${one}:70000:2;3`), marshallingError],
  ['a port below zero', joining(`${ok}=${one}:1:-2;3`), marshallingError],
  ['a role that there is not', joining(`${ok}=${one}:1:2:leader;3`), badArguments],
  ['a role in capitals', joining(`${ok}=${one}:1:2:PARTICIPANT;3`, `9=${other}:1:2;3`), noQuorum],
  ['two addresses of one', joining(`${ok}=${one}:1:2|${other}:1:2;3`), badArguments],
  ['too much about clients', joining(`${ok}=${one}:1:2;a:b:3`), badArguments],
  ['a bracket that does not end', joining(`${ok}=[::8:1:2;3`), badArguments],
  ['an address in brackets', joining(`${ok}=[fe80::8]:1:2;3`, `9=${other}:1:2;3`), noQuorum],
  ['parts that are empty', joining('', ` ${ok}=${one}:1:2;3 `, '', `9=${other}:1:2;3`), noQuorum],
  ['an observer that joins too few', joining(`${ok}=${one}:1:2:observer;3`), badArguments],

  ['a leaving id that is no number', { leavingServers: '3,x' }, marshallingError],
  ['a leaving id with a point', { leavingServers: '1.5' }, marshallingError],
  ['too few that are left', { leavingServers: '1, 2' }, badArguments],
  ['ids that leave and are not there', { leavingServers: '1,2,99,-7,+4' }, badArguments],

  ['only one member', members(`${ok}=${one}:1:2;3`), badArguments],
  ['no members', { newMembers: '' }, badArguments],
  ['a lone observer', members(`${ok}=${one}:1:2:observer;3`), marshallingError],
  [
    'one member and an observer',
    members(`${ok}=${one}:1:2;3`, `server.9=${other}:1:2:observer;3`),
    marshallingError,
  ],
  ['members without ports for clients', members(`${ok}=${one}:1:2`, `server.9=${other}:1:2`), -13],
  ['one address for two members', members(`${ok}=${one}:1:2;3`, `server.9=${one}:1:2;3`), noQuorum],
  ['a member with an id that is no number', members(`server.x=${one}:1:2;3`), marshallingError],
  ['a line that says something else', members(`${ok}=${one}:1:2;3`, 'foo=1'), badArguments],
  ['a malformed member', members(`${ok}=${one}:1`), badArguments],
  ['a malformed version', members('version=zz'), marshallingError],
  [
    'members over several lines, with remarks',
    { newMembers: `# ours\n${ok}=${one}:1:2;3\n\n  server.9 = ${other}:1:2;3\nversion=7` },
    noQuorum,
  ],
  [
    'a member that is named twice, and counts once',
    members(`${ok}=${one}:1:2;3`, `${ok}=${one}:1:2;3`),
    badArguments,
  ],

  ['another version', { ...joining(ok), curConfigId: 5n }, badVersion],
]

/** A client that is known as the super user, unless told otherwise. */
async function connectTo(port: number, isSuper = true): Promise<RawClient> {
  const client = await RawClient.connect(port)
  onTestFinished(() => client.close())
  const packet = { type: 0, scheme: 'digest', auth: Buffer.from('super:admin') }
  if (isSuper) await client.call(auth, packet, -4)
  return client
}

async function outstandingAt(port: number): Promise<number> {
  return Number(/Outstanding: (\d+)/.exec(await fourLetterWord(port, 'srvr'))?.[1])
}

async function configOf(client: RawClient) {
  return client.call(getData, { path: '/zookeeper/config', watch: false })
}

function refusals(start: () => Promise<Ensemble>): void {
  let ensemble: Ensemble
  beforeAll(async () => {
    ensemble = await start()
  })
  afterAll(() => ensemble?.close())

  test('a reconfig that cannot be is refused with the code of its fault, and changes nothing', async () => {
    const client = await connectTo(await ensemble.leaderPort())
    const before = await configOf(client)
    const codes: [string, number][] = []
    for (const [title, change] of cases) {
      const { err } = await client.call(reconfig, { ...nothing, ...change })
      codes.push([title, err])
    }
    expect(codes).toEqual(cases.map(([title, , err]) => [title, err]))
    expect((await configOf(client)).response?.data).toEqual(before.response?.data)
  })

  test('who may not write is refused behind all else', async () => {
    const client = await connectTo(await ensemble.leaderPort(), false)
    const changes = [joining(ok), cases[0]![1], { leavingServers: '3' }]
    const codes: number[] = []
    for (const change of changes) {
      codes.push((await client.call(reconfig, { ...nothing, ...change })).err)
    }
    expect(codes).toEqual([badArguments, noQuorum, noAuth])
  })

  test('a reconfig is refused while another one is on its way, and not behind it', async () => {
    const port = await ensemble.leaderPort()
    const client = await connectTo(port)
    const lines = (await configOf(client)).response!.data!.toString().split('\n')
    const change = members(...lines.filter((line) => line.startsWith('server.')))
    await ensemble.hold()
    const requests = [change, change, { ...change, curConfigId: 5n }]
    for (const each of requests) client.request(reconfig, { ...nothing, ...each })
    await expect.poll(() => outstandingAt(port)).toBe(3)
    ensemble.release()
    const codes = [await client.takeReply(reconfig), await client.takeReply(reconfig)]
    const last = await client.takeReply(reconfig)
    expect([...codes, last].map(({ err }) => err)).toEqual([0, inProgress, inProgress])
    expect((await client.call(reconfig, { ...nothing, ...change })).err).toBe(0)
  })
}

describe('members in this process [in-process members]', () => refusals(startTest))
describeReal('real members', () => refusals(startReal))
