import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { proofsOf, readDirectives, saslServiceUri } from '../../src/protocol/digest-md5.ts'
import { EventType, KeeperState } from '../../src/protocol/constants.ts'
import { type MultiPart } from '../../src/protocol/multi.ts'
import { operations } from '../../src/protocol/operations.ts'
import { ErrorResponse, WatcherEvent } from '../../src/protocol/records.ts'
import { connect, type ZooKeeper } from '../../src/index.ts'
import { handshakeOf, reply } from '../support/session-harness.ts'
import { ScriptedServer } from '../support/scripted-server.ts'
import { errorOf, openAt } from '../support/servers.ts'
import { stat } from '../support/test-call.ts'

// What test/unit/session shows of the session alone, through sockets and promises: a server does at a
// chosen byte what no server should.

const quick = { sessionTimeout: 6_000, backoff: { msMin: 1, msMax: 1 } }

test('A1: a connection that breaks behind any byte of the handshake is followed by one that lives', async () => {
  const answer = handshakeOf()
  await using server = await ScriptedServer.start(async (peer, nth) => {
    if (nth >= answer.length) {
      await peer.handshake()
      await peer.serve()
    }
    await peer.next()
    peer.send(answer.subarray(0, nth))
    if (nth % 2 === 0) peer.end()
    else peer.reset()
  })
  const zk = await connect(server.connectString, quick)
  expect(server.peers).toHaveLength(answer.length + 1)
  expect(zk.state).toBe('connected')
  await zk.close()
})

test.each([0, 1, 4, 15, 16, 20, 50, 87])(
  'A3: a write whose reply breaks off behind byte %i is unknown, a read is asked again',
  async (at) => {
    await using server = await ScriptedServer.start(async (peer, nth) => {
      await peer.handshake()
      if (nth > 0) await peer.serve()
      const { xid } = await peer.next()
      await peer.next()
      peer.send(
        reply({ xid, zxid: 1n, err: 0 }, operations.setData.response, { stat }).subarray(0, at),
      )
      peer.end()
    })
    const zk = await openAt(server.connectString, quick)
    const [write, read] = [errorOf(zk.setData('/a', 'x')), zk.exists('/b')]
    expect(await write).toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'unknown', path: '/a' })
    expect(await read).toBeNull() // the second connection finds no znode anywhere
  },
)

test.each([
  ['A6: a negative length', Buffer.from('ffffffff', 'hex')],
  ['A7: an immense length', Buffer.from('7fffffff'.padEnd(64, '0'), 'hex')],
  ['A7: a web page', Buffer.from('HTTP/1.1 503 Service Unavailable\r\n\r\n')],
  ['A9: an empty frame', Buffer.alloc(4)],
  ['A16: a reply that nobody waits for', reply({ xid: 99, zxid: 1n, err: 0 })],
  ['A19: a reply with an xid that has no meaning', reply({ xid: -7, zxid: 1n, err: 0 })],
  ['A20: a second answer to the handshake', handshakeOf()],
])('%s costs the connection, and the session goes on', async (_, bytes) => {
  await using server = await ScriptedServer.start(async (peer, nth) => {
    await peer.handshake()
    if (nth > 0) await peer.serve()
    await peer.next()
    peer.send(bytes)
    await peer.untilGone()
  })
  const zk = await openAt(server.connectString, quick)
  const changes = zk.states()
  const error = await errorOf(zk.setData('/a', 'x'))
  expect(error).toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'unknown' })
  expect((await changes.next()).value).toMatchObject({
    state: 'suspended',
    cause: { code: 'PROTOCOL_ERROR' },
  })
  expect(await zk.exists('/b')).toBeNull()
})

test('A17: AuthFailed that nothing was sent for ends the client, once', async () => {
  await using server = await ScriptedServer.start(async (peer) => {
    await peer.handshake()
    await peer.next()
    peer.send(reply({ xid: -4, zxid: 0n, err: -115 }))
  })
  const zk = await openAt(server.connectString, quick)
  const states: string[] = []
  const told = (async () => {
    for await (const { state } of zk.states()) states.push(state)
  })()
  expect(await errorOf(zk.exists('/a'))).toMatchObject({ code: 'AUTH_FAILED' })
  await told
  expect(states).toEqual(['auth-failed'])
  expect(server.peers).toHaveLength(1)
})

const none = { type: -1, err: 0, response: undefined }
test.each([
  ['fewer results than operations', [{ type: 2, err: 0, response: undefined }]],
  ['more results than operations', Array(3).fill({ type: 2, err: 0, response: undefined })],
  ['no results', []],
  ['results of other operations', Array(2).fill({ type: 13, err: 0, response: undefined })],
  ['errors that are none', [none, none]],
  ['an error beyond the operations', [none, none, { ...none, err: -101 }]],
])('A26: a multi that is answered with %s is unknown', async (_, results) => {
  await using server = await ScriptedServer.start(async (peer, nth) => {
    await peer.handshake()
    if (nth > 0) await peer.serve()
    const { xid } = await peer.next()
    peer.send(reply({ xid, zxid: 1n, err: 0 }, operations.multi.response, results))
    await peer.untilGone()
  })
  const zk = await openAt(server.connectString, quick)
  const error = await errorOf(zk.multi().create('/a').delete('/b').commit())
  expect(error).toMatchObject({ code: 'PROTOCOL_ERROR', outcome: 'unknown' })
  expect(await zk.exists('/c')).toBeNull() // on another connection
})

test('R48: what a server says of the session reaches no watch, neither callback nor iterator', async () => {
  const event = (type: number, state: number, path: string) =>
    reply({ xid: -1, zxid: -1n, err: 0 }, WatcherEvent, { type, state, path })
  await using server = await ScriptedServer.start(async (peer) => {
    await peer.handshake()
    const [addWatch, exists] = [await peer.next(), await peer.next()]
    peer.send(reply({ xid: addWatch.xid, zxid: 1n, err: 0 }, ErrorResponse, { err: 0 }))
    peer.answer(exists)
    for (const state of Object.values(KeeperState)) {
      for (const path of ['', '/a']) peer.send(event(EventType.None, state, path))
    }
    peer.send(event(EventType.NodeCreated, KeeperState.SyncConnected, '/a'))
    await peer.serve()
  })
  const zk = await openAt(server.connectString, quick)
  const told: string[] = []
  const watch = zk.watch('/a')
  await zk.exists('/a', { watch: ({ type }) => told.push(type) })
  expect((await watch.next()).value).toMatchObject({ type: 'NodeCreated', path: '/a' })
  expect(told).toEqual(['NodeCreated'])
  expect(zk.state).toBe('connected')
  expect(zk.stats().ignored.events).toBe(2 * Object.keys(KeeperState).length)
})

/** Half of a second after which an operation that is ignored counts as unknown. */
const brisk = { timeOut: 750 }

test.each([
  ['whoAmI', '3.7', (zk: ZooKeeper) => zk.whoAmI()],
  ['addWatch', '3.6', (zk: ZooKeeper) => zk.watch('/a').next()],
  ['multiRead', '3.6', (zk: ZooKeeper) => zk.multiRead().getData('/a').read()],
])('a server that ignores %s does not know it', async (op, since, ask) => {
  const asked: string[] = []
  await using server = await ScriptedServer.start(async (peer) => {
    await peer.handshake(brisk)
    for (;;) {
      const frame = await peer.next()
      asked.push(frame.operation.name)
      if (frame.operation.name !== op) peer.answer(frame)
    }
  })
  const zk = await openAt(server.connectString, quick)
  const unknown = { code: 'UNIMPLEMENTED', op, since, outcome: 'not-applied' }
  expect(await errorOf(ask(zk))).toMatchObject(unknown)
  expect(await zk.exists('/b')).toBeNull()
  expect(await errorOf(ask(zk))).toMatchObject(unknown)
  expect(asked.filter((name) => name === op)).toHaveLength(1)
  expect(server.peers).toHaveLength(2)
})

test('a server that ignores create2 gets it three times, each of them unknown, and then a create', async () => {
  const asked: string[] = []
  await using server = await ScriptedServer.start(async (peer) => {
    await peer.handshake(brisk)
    for (;;) {
      const frame = await peer.next()
      const { xid, operation } = frame
      asked.push(operation.name)
      if (operation === operations.create2) continue
      const isMade = operation === operations.create || asked.includes('create')
      const body = operation === operations.exists ? { stat } : { path: '/a' }
      if (isMade) peer.send(reply({ xid, zxid: 1n, err: 0 }, operation.response, body))
      else peer.answer(frame)
    }
  })
  const zk = await openAt(server.connectString, quick)
  for (let i = 0; i < 3; i++) {
    const error = await errorOf(zk.create('/a', 'x'))
    expect(error).toMatchObject({ code: 'CONNECTION_LOSS', op: 'create2', outcome: 'unknown' })
  }
  expect(await zk.create('/a', 'x')).toMatchObject({ path: '/a', stat: { dataLength: 8 } })
  expect(asked).toEqual(['create2', 'create2', 'create2', 'create', 'exists'])
})

// ZooKeeper 3.4 knows transactions, but not create2: it cannot read one that contains it.
test('a server that cannot read a create2 in a transaction gets a create, with the data of the call', async () => {
  const asked: string[] = []
  await using server = await ScriptedServer.start(async (peer) => {
    await peer.handshake()
    for (;;) {
      const frame = await peer.next()
      const parts = frame.request as MultiPart[]
      for (const { type, request } of parts) {
        asked.push(`${type} ${(request as { data: Buffer }).data.toString()}`)
      }
      const marshallingError = -5
      if (parts[0]!.type === operations.create2.code) peer.answer(frame, marshallingError)
      else {
        const results = parts.map(({ type }) => ({ type, err: 0, response: { path: '/a' } }))
        peer.send(reply({ xid: frame.xid, zxid: 1n, err: 0 }, operations.multi.response, results))
      }
    }
  })
  const zk = await openAt(server.connectString, quick)
  const data = Buffer.from('before')
  const committed = zk.multi().create('/a', data).commit()
  data.write('after!')
  expect(await committed).toEqual([{ path: '/a', stat: null }])
  await zk.multi().create('/a', 'next').commit()
  expect(asked).toEqual(['15 before', '1 before', '1 next'])
})

// The password is safe with whoever poses as the server: what follows is not sent to one that lacks it.
test.each([
  ['guesses it', (answer: Uint8Array) => proofOf(answer, 'guess')],
  ['sends the answer back', (answer: Uint8Array) => Buffer.from(answer)],
  ['says nothing', () => null],
])(
  'L9: a server that has to prove that it knows the password, and %s, is told nothing more',
  async (_, proof) => {
    const told: string[] = []
    await using server = await ScriptedServer.start(async (peer) => {
      await peer.handshake()
      const tokens = [() => Buffer.from(challenge), proof]
      for (const token of tokens) {
        const { xid, request } = await peer.next()
        const body = { token: token(request.token as Uint8Array) }
        peer.send(reply({ xid, zxid: 0n, err: 0 }, operations.sasl.response, body))
      }
      for (;;) told.push((await peer.next()).text)
    })
    const sasl = { mechanism: 'DIGEST-MD5', username: 'bob', password: 'bobsecret' } as const
    const error = await errorOf(connect(server.connectString, { ...quick, sasl }))
    expect(error).toMatchObject({ code: 'AUTH_FAILED', message: expect.stringMatching(/proved/) })
    expect(told).toEqual([])
    expect(server.peers).toHaveLength(1)
  },
)

const challenge = 'realm="r",nonce="n",charset=utf-8,algorithm=md5-sess'

/** What a server says that knows this password. */
function proofOf(answer: Uint8Array, password: string): Buffer {
  const cnonce = readDirectives(answer).get('cnonce')!
  const inputs = { username: 'bob', password, realm: 'r', nonce: 'n', cnonce }
  const { rspauth } = proofsOf({ ...inputs, digestUri: saslServiceUri }, (bytes) =>
    createHash('md5').update(bytes).digest(),
  )
  return Buffer.from(`rspauth=${rspauth}`)
}
