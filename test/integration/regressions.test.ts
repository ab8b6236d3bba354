import { expect, onTestFinished, test } from 'vitest'
import {
  type ConnectOptions,
  CREATOR_ALL_ACL,
  type StateChange,
  type WatchEvent,
  type ZooKeeper,
} from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { fourLetterWord } from '../support/four-letter-word.ts'
import { LinkProxy } from '../support/link-proxy.ts'
import { handshakeOf } from '../support/session-harness.ts'
import { type Peer, ScriptedServer } from '../support/scripted-server.ts'
import { describeServers, errorOf, newChroot, openAt, type Server } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

// What has hurt the users of other clients; the rows are explained in docs/regressions.md.

const quick = { backoff: { msMin: 5, msMax: 50 } }

describeServers('R1: an expiry', (server) => {
  test('is told once, with the old session, and a new session serves without anybody’s help', async () => {
    const { wire, zk, chroot } = await openWired(server, { sessionTimeout: 1_000 })
    const { id } = zk.session
    const states = record(zk)
    await zk.create('/mine', '', { mode: 'ephemeral' })

    wire.isDown = true
    wire.cut()
    await zk.waitFor('lost')
    const observer = await openAt(server.connectString + chroot)
    await gone(observer, '/mine')
    wire.isDown = false
    await zk.waitFor('expired')
    await zk.waitFor('connected')

    expect(zk.session.id).not.toBe(id)
    expect(await zk.exists('/mine')).toBeNull()
    const told = ['suspended', 'lost', 'expired', 'connecting', 'connected']
    expect(states.map(({ state }) => state)).toEqual(told)
    expect(states[2]).toMatchObject({ sessionId: id })
  })
})

describeServers('R2: a data, an exists and a child watch', (server) => {
  test('each fire once for what happened while the link was cut', async () => {
    const { wire, zk, chroot } = await openWired(server)
    const other = await openAt(server.connectString + chroot)
    await zk.create('/data')
    await zk.create('/parent')
    const events: WatchEvent[] = []
    const watch = (event: WatchEvent) => events.push(event)
    await zk.getData('/data', { watch })
    await zk.exists('/missing', { watch })
    await zk.getChildren('/parent', { watch })

    wire.isDown = true
    wire.cut()
    await zk.waitFor('suspended')
    await other.setData('/data', 'new')
    await other.create('/missing')
    await other.create('/parent/child')
    wire.isDown = false
    await zk.waitFor('connected')
    await zk.sync()

    expect(events.map(({ type, path }) => `${type} ${path}`).sort()).toEqual([
      'NodeChildrenChanged /parent',
      'NodeCreated /missing',
      'NodeDataChanged /data',
    ])
    for (const path of ['/data', '/missing']) await other.setData(path, 'newer')
    await other.create('/parent/child2')
    await zk.sync()
    expect(events).toHaveLength(3)
  })
})

describeServers('R5: every promise', (server) => {
  test('settles, whatever was under way, waiting or asked too late', async () => {
    const { wire, zk } = await openWired(server, { closeGrace: 500 })
    await zk.create('/a')
    const made: Promise<unknown>[] = []
    const ask = () => {
      const calls = [
        zk.getData('/a'),
        zk.setData('/a', 'x'),
        zk.exists('/b', { timeout: 200 }),
        zk.multi().check('/a').setData('/a', 'y').commit(),
        zk.sync(),
      ]
      for (const call of calls) made.push(call.catch((error: unknown) => error))
    }
    for (let i = 0; i < 20; i++) ask()
    await Promise.resolve()
    wire.isSilent = true // from here on nothing is answered
    for (let i = 0; i < 20; i++) ask()
    await Promise.resolve()
    wire.cut()
    for (let i = 0; i < 20; i++) ask()
    const closed = zk.close()
    for (let i = 0; i < 20; i++) ask()
    await closed

    const ends = await Promise.all(made)
    expect(ends).toHaveLength(400)
    const errors = ends.filter((end) => end instanceof Error)
    for (const error of errors) expect(error).toHaveProperty('outcome')
    expect(ends.slice(-100)).toEqual(errors.slice(-100)) // asked too late
  })
})

// Two loopback addresses: other systems than Linux have only one without being told.
test.skipIf(process.platform !== 'linux')(
  'R7: a name that has another address now is followed at the next dial, in the same session',
  async () => {
    await using server = await TestServer.start()
    await using old = await LinkProxy.start(server.port)
    await using fresh = await LinkProxy.start(server.port, '127.0.0.2', old.port)
    let address = '127.0.0.1'
    const lookup = async () => [address]
    const zk = await openAt(`zk-0.svc:${old.port}`, { ...quick, lookup })
    const { id } = zk.session

    address = '127.0.0.2'
    old.isDown = true
    old.cut()
    await zk.waitFor('suspended')
    await zk.waitFor('connected')
    expect(zk.session.id).toBe(id)
    expect([old.connections, fresh.connections]).toEqual([1, 1])
  },
)

describeServers('R14: credentials', (server) => {
  test('are told to the next link before a call that waited for it', async () => {
    const { wire, zk } = await openWired(server)
    await zk.addAuth('digest', 'bob:secret')
    await zk.create('/private', 'x', { acl: CREATOR_ALL_ACL })
    for (let round = 0; round < 5; round++) {
      wire.isDown = true
      wire.cut()
      await zk.waitFor('suspended')
      const read = zk.getData('/private')
      wire.isDown = false
      expect((await read).data?.toString()).toBe('x')
    }
  })
})

test('R14: credentials are told to the next session, too', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString, { ...quick, auth: [bob] })
  await zk.create('/private', 'x', { acl: CREATOR_ALL_ACL })
  await server.expire(zk.session.id)
  await zk.waitFor('expired')
  expect((await zk.getData('/private')).data?.toString()).toBe('x')
})

describeServers('R17: what is too large', (server) => {
  test('is refused before it is sent, alone, a transaction as well as a write', async () => {
    const { wire, zk } = await openWired(server)
    await zk.create('/a')
    const half = Buffer.alloc(600_000)
    const [before, large, multi, after] = await Promise.allSettled([
      zk.setData('/a', 'x'),
      zk.setData('/a', Buffer.alloc(1_100_000)),
      zk.multi().setData('/a', half).setData('/a', half).commit(),
      zk.exists('/a'),
    ])
    const refusal = { code: 'REQUEST_TOO_LARGE', outcome: 'not-applied' }
    expect([before.status, after.status]).toEqual(['fulfilled', 'fulfilled'])
    expect(large).toMatchObject({ reason: refusal })
    expect(multi).toMatchObject({ reason: refusal })
    expect(String((multi as PromiseRejectedResult).reason)).toMatch(/1200\d{3} bytes/)
    expect(wire.connections).toBe(1)
  })
})

test('R17: a reply that is too large fails its call, which is not made again', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString, { ...quick, frameInBytesMax: 10_000 })
  await zk.create('/large', Buffer.alloc(20_000))
  const error = await errorOf(zk.getData('/large'))
  expect(error).toMatchObject({ code: 'REPLY_TOO_LARGE', path: '/large', retriable: false })
  expect(String(error)).toMatch(/20\d\d\d bytes/)
  await zk.exists('/large')
  expect(server.log.filter(({ operation }) => operation === 'getData')).toHaveLength(1)
  expect(zk.state).toBe('connected')
})

describeServers('R18: close()', (server) => {
  test.each(['connected', 'suspended', 'lost', 'closed'] as const)(
    'resolves for both of two callers while the client is %s',
    async (state) => {
      const { wire, zk } = await openWired(server, { sessionTimeout: 1_000, closeGrace: 500 })
      if (state === 'suspended' || state === 'lost') {
        wire.isDown = true
        wire.cut()
        await zk.waitFor(state)
      }
      if (state === 'closed') await zk.close()
      const startedMs = performance.now()
      await Promise.all([zk.close(), zk.close()])
      expect(performance.now() - startedMs).toBeLessThan(2_000)
      expect(zk.state).toBe('closed')
    },
  )
})

test('R18: close() while the next session is being opened', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString, quick)
  const { id } = zk.session
  await server.stop()
  await server.expire(id)
  const connecting = zk.waitFor('connecting')
  await server.resume()
  await connecting
  await Promise.all([zk.close(), zk.close()])
  expect(zk.state).toBe('closed')
})

// The server breaks off wherever it likes; the number of links that the client leaves open is counted
// at the server, where a forgotten socket would stay.
test('R21: a thousand broken links leave one connection', { timeout: 60_000 }, async () => {
  const links = 1_000
  const answer = handshakeOf()
  const ends: ((peer: Peer, nth: number) => Promise<void> | void)[] = [
    function atOnce() {},
    async function inTheHandshake(peer, nth) {
      await peer.next()
      peer.send(answer.subarray(0, nth % answer.length))
    },
    async function behindIt(peer) {
      await peer.handshake()
    },
    async function atARequest(peer) {
      await peer.handshake()
      await peer.next()
    },
    async function behindAReply(peer) {
      await peer.handshake()
      peer.answer(await peer.next())
    },
  ]
  await using server = await ScriptedServer.start(async (peer, nth) => {
    if (nth < links) {
      await ends[nth % ends.length]!(peer, nth)
      if (nth % 2 === 0) peer.reset()
      else peer.end()
    } else {
      await peer.handshake()
      await peer.serve()
    }
  })
  const backoff = { msMin: 0.01, msMax: 0.01 }
  const zk = await openAt(server.connectString, { backoff, connectTimeout: 60_000 })
  const { id } = zk.session
  while (server.peers.length <= links) await zk.exists('/a').catch(() => undefined)
  await zk.exists('/a')
  await Promise.all(server.peers.slice(0, -1).map((peer) => peer.untilGone()))
  expect(zk.session.id).toBe(id)
  await zk.close()
  await server.peers.at(-1)!.untilGone()
})

describeServers('R22: a callback that watches again', (server) => {
  test('is called once for each of twenty changes with a new link before each', async () => {
    const { wire, zk, chroot } = await openWired(server)
    const other = await openAt(server.connectString + chroot)
    await zk.create('/a')
    const changes = await countChanges(zk, '/a')
    for (let round = 1; round <= 20; round++) {
      wire.cut()
      await zk.waitFor('suspended')
      await zk.waitFor('connected')
      await other.setData('/a', String(round))
      await zk.sync()
      await zk.exists('/a') // behind the read that watches again
      expect(changes.count).toBe(round)
    }
  })
})

// A server that starts leaves some of the connections without an answer that it accepts first, so that
// a round may take two thirds of the session timeout longer.
describeReal('R21, R22: twenty restarts', () => {
  test('of the server leave one connection, one session and one event for each change', async () => {
    await using server = await ZooKeeperServer.start()
    const zk = await openAt(server.connectString, { ...quick, sessionTimeout: 4_000 })
    const { id } = zk.session
    await zk.create('/a')
    const changes = await countChanges(zk, '/a')
    for (let round = 1; round <= 20; round++) {
      await server.kill()
      await zk.waitFor('suspended')
      await server.restart()
      await zk.waitFor('connected')
      await zk.setData('/a', String(round))
      await zk.exists('/a')
    }
    expect(changes.count).toBe(20)
    expect(zk.session.id).toBe(id)
    const connections = await fourLetterWord(server.port, 'cons')
    expect(connections.match(/sid=0x/g)).toHaveLength(1)
  }, 120_000)
})

describeReal('R27: twenty thousand reads at once', () => {
  test('are answered within a short session, and the server owes nothing afterwards', async () => {
    await using server = await ZooKeeperServer.start({ config: { globalOutstandingLimit: 1000 } })
    const zk = await openAt(server.connectString, { sessionTimeout: 4_000 })
    const { id } = zk.session
    await zk.create('/a', Buffer.alloc(500))
    const states = record(zk)
    const reads = Array.from({ length: 20_000 }, () => zk.getData('/a'))
    expect(await Promise.all(reads)).toHaveLength(20_000)
    expect(states).toEqual([])
    expect(zk.session.id).toBe(id)
    expect(await fourLetterWord(server.port, 'srvr')).toMatch(/^Outstanding: 0$/m)
  })
})

describeServers('R29: a link that swallows everything', (server) => {
  test('is given up in time to keep the session elsewhere', async () => {
    const [wire, other] = [await wireTo(server), await wireTo(server)]
    const chroot = await newChroot(server)
    const hosts = `${wire.connectString},${other.connectString}`
    const zk = await openAt(hosts + chroot, { ...quick, sessionTimeout: 3_000 })
    const { id, timeout } = zk.session
    await zk.create('/mine', '', { mode: 'ephemeral' })
    const present = zk.server === wire.connectString ? wire : other
    present.isSilent = true
    const startedMs = performance.now()
    await zk.waitFor('suspended')
    const silentMs = performance.now() - startedMs
    await zk.waitFor('connected')
    expect(zk.session.id).toBe(id)
    expect(await zk.exists('/mine')).not.toBeNull()
    expect(silentMs).toBeLessThan(timeout) // two thirds of it, on a machine that has the time
  })
})

describeServers('R40: of five watches that one multi fires', (server) => {
  test('those behind a cut fire, once, on the next link', async () => {
    const { wire, zk, chroot } = await openWired(server)
    const other = await openAt(server.connectString + chroot)
    const paths = ['/1', '/2', '/3', '/4', '/5']
    const heard: string[] = []
    for (const path of paths) {
      await zk.create(path)
      await zk.getData(path, { watch: ({ type, path: of }) => heard.push(`${type} ${of}`) })
    }
    let notifications = 0
    wire.inspect = (frame) => (isNotification(frame) && ++notifications === 3 ? 'cut' : 'pass')
    const suspended = zk.waitFor('suspended')
    const multi = other.multi()
    for (const path of paths) multi.setData(path, 'x')
    await multi.commit()
    await suspended
    expect(heard).toHaveLength(2)
    await zk.waitFor('connected')
    await zk.sync()
    expect(heard.toSorted()).toEqual(paths.map((path) => `NodeDataChanged ${path}`))
    expect(wire.connections).toBe(2)
  })
})

describeServers('R54: a call', (server) => {
  test('can be awaited in every listener', async () => {
    const { wire, zk } = await openWired(server)
    await zk.create('/a', 'x')
    const answers: string[] = []
    const ask = async (where: string) => {
      answers.push(`${where} ${(await zk.getData('/a')).data!.toString()}`)
    }
    const states = zk.states()
    const inStates = (async () => {
      for await (const { state } of states) {
        await ask(state)
        if (state === 'connected') return
      }
    })()
    const inWatch = new Promise((resolve) => {
      void zk.getData('/a', { watch: ({ type }) => resolve(ask(type)) })
    })
    wire.cut()
    await inStates
    await zk.setData('/a', 'y')
    await inWatch
    for await (const now of zk.observe('/a')) {
      await ask(String(now?.data))
      break
    }
    expect(answers).toEqual(['suspended x', 'connected x', 'NodeDataChanged y', 'y y'])
  })
})

describeServers('L17: znodes with the names of what objects have', (server) => {
  test('are znodes like others', async () => {
    const { zk } = await openWired(server)
    const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString']
    const paths = names.map((name) => `/${name}`)
    for (const path of paths) await zk.create(path, path)
    expect([...(await zk.getChildren('/')).children].sort()).toEqual(names)
    const many = await zk.getMany(paths)
    expect(many.map((one) => one?.data?.toString())).toEqual(paths)
    const walked: string[] = []
    for await (const { path } of zk.walk('/')) walked.push(path)
    expect(walked.sort()).toEqual(['/', ...paths])
    expect(({} as Record<string, unknown>)['data']).toBeUndefined()
  })
})

interface Wired {
  readonly wire: LinkProxy
  readonly zk: ZooKeeper
  readonly chroot: string
}

/** A client in a chroot of its own, behind a wire that can be cut. */
async function openWired(server: Server, options: ConnectOptions = {}): Promise<Wired> {
  const wire = await wireTo(server)
  const chroot = await newChroot(server)
  const zk = await openAt(wire.connectString + chroot, { ...quick, ...options })
  return { wire, zk, chroot }
}

async function wireTo({ connectString }: Pick<Server, 'connectString'>): Promise<LinkProxy> {
  const wire = await LinkProxy.start(Number(connectString.split(':')[1]))
  onTestFinished(() => wire[Symbol.asyncDispose]())
  return wire
}

/** Counts changes by a callback that watches again. Resolves when it watches for the first time. */
async function countChanges(zk: ZooKeeper, path: string): Promise<{ readonly count: number }> {
  const changes = { count: 0 }
  const watchAgain = async () => {
    await zk.getData(path, {
      watch({ type }) {
        if (type !== 'NodeDataChanged') return
        changes.count++
        void watchAgain()
      },
    })
  }
  await watchAgain()
  return changes
}

function isNotification(frame: Buffer): boolean {
  return frame.length > 16 && frame.readInt32BE() === -1
}

/** Resolves when the znode is no more. */
async function gone(zk: ZooKeeper, path: string): Promise<void> {
  for await (const now of zk.observe(path)) if (now === null) return
}

function record(zk: ZooKeeper): StateChange[] {
  const changes: StateChange[] = []
  void (async () => {
    for await (const change of zk.states()) changes.push(change)
  })()
  return changes
}

const bob = { scheme: 'digest', auth: 'bob:secret' }
