/**
 * Has one conversation with a real ZooKeeper over a bare socket, in which every operation occurs, and
 * prints it as `test/fixtures/captured-frames.ts`:
 *
 *     ZOOKEEPER=127.0.0.1:2181 npx tsx scripts/capture-frames.ts > test/fixtures/captured-frames.ts
 *     npx prettier --write test/fixtures/captured-frames.ts
 *
 * The server should be a new one, an ensemble of one (`standaloneEnabled=false`), with
 * `reconfigEnabled=true`, `zookeeper.extendedTypesEnabled=true`, the super user's password `admin` and
 * SASL by DIGEST-MD5; what it refuses is captured as an error.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { errorCodeOf } from '../src/protocol/error-codes.ts'
import { FrameSplitter } from '../src/protocol/framing.ts'
import type { ConnectResponse } from '../src/protocol/handshake.ts'
import { type OperationName, operations } from '../src/protocol/operations.ts'
import type { ReplyHeader } from '../src/protocol/records.ts'
import {
  type KnownFrame,
  decodeFrame,
  encodeFrame,
  type FrameKind,
} from '../test/support/frames.ts'

const address = process.env['ZOOKEEPER'] ?? '127.0.0.1:2181'
const frames: KnownFrame[] = []

/** The raw socket, and what has come from it that nobody has asked for yet. */
class Conversation {
  readonly #socket: Socket
  readonly #splitter = new FrameSplitter(2 ** 22)
  readonly #chunks: AsyncIterator<Buffer>
  #xid = 0

  static async open(): Promise<Conversation> {
    const { hostname, port } = new URL(`tcp://${address}`)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    return new Conversation(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  async handshake(meaning: string, request: object): Promise<ConnectResponse> {
    const defaults = { protocolVersion: 0, lastZxidSeen: 0n, timeOut: 10_000, sessionId: 0n }
    const value = { ...defaults, passwd: Buffer.alloc(16), readOnly: false, ...request }
    this.#send('connect request', meaning, value)
    const bytes = await this.#receive()
    note('connect response', meaning, bytes)
    return decodeFrame('connect response', bytes) as ConnectResponse
  }

  /** Sends a request and waits for its reply; notifications in between are captured too. */
  async call(name: OperationName, meaning: string, body?: object, xid?: number): Promise<void> {
    const header = { xid: xid ?? ++this.#xid, type: operations[name].code }
    this.#send(`${name} request`, meaning, { header, body })
    let bytes = await this.#receive()
    while (headerOf(bytes).xid === -1) {
      note('notification', `while ${name} is answered`, bytes)
      bytes = await this.#receive()
    }
    noteReply(name, headerOf(bytes), bytes)
  }

  close(): void {
    this.#socket.destroy()
  }

  #send(kind: FrameKind, meaning: string, value: unknown): void {
    const bytes = encodeFrame(kind, value)
    note(kind, meaning, bytes)
    this.#socket.write(bytes)
  }

  async #receive(): Promise<Buffer> {
    while (!this.#splitter.next()) {
      const { value, done } = await this.#chunks.next()
      if (done === true) throw new Error('the server closed the connection')
      this.#splitter.push(value)
    }
    const { bytes, start, end } = this.#splitter
    return Buffer.from(bytes.subarray(start - 4, end)) // a copy, with the length in front
  }
}

function headerOf(bytes: Buffer): ReplyHeader {
  const { header } = decodeFrame('error reply', withoutBody(bytes)) as { header: ReplyHeader }
  return header
}

function withoutBody(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 16]), bytes.subarray(4, 20)])
}

/** Most errors come without a body; a refused SASL token has one all the same. */
function noteReply(name: OperationName, { err }: ReplyHeader, bytes: Buffer): void {
  const kind = err !== 0 && bytes.length === 20 ? 'error reply' : (`${name} reply` as const)
  note(kind, err === 0 ? `to ${name}` : `to ${name}: ${errorCodeOf(err)}`, bytes)
}

function note(kind: FrameKind, meaning: string, bytes: Buffer): void {
  frames.push({ kind, meaning, hex: bytes.toString('hex') })
}

async function serverVersion(): Promise<string> {
  const { hostname, port } = new URL(`tcp://${address}`)
  const socket = connect(Number(port), hostname)
  socket.end('srvr')
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return /version: ([\d.]+)/.exec(answer)?.[1] ?? 'unknown'
}

async function main(): Promise<void> {
  const version = await serverVersion()
  const session = await everyOperation()
  await otherHandshakes(session)
  await saslHandshake()
  process.stdout.write(print(version))
}

/** One session in which every operation but `sasl` occurs, each at least once with success. */
async function everyOperation(): Promise<ConnectResponse> {
  const wire = await Conversation.open()
  const session = await wire.handshake('a new session', { readOnly: true })
  await createAndRead(wire)
  await changeAndDelete(wire)
  await several(wire)
  await watches(wire)
  await administer(wire)
  await wire.call('closeSession', 'ends the session')
  wire.close()
  return session
}

const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]
const node = (path: string, text: string | null, flags: number) => {
  return { path, data: text === null ? null : Buffer.from(text), acl, flags }
}

async function createAndRead(wire: Conversation): Promise<void> {
  await wire.call('ping', 'outside the order of the others', undefined, -2)
  await wire.call('create', 'a persistent znode', node('/frames', 'hello', 0))
  await wire.call('create', 'a sequential znode without data', node('/frames/n-', '', 2))
  await wire.call('create2', 'an ephemeral znode with null data', node('/frames/e', null, 1))
  await wire.call('create2', 'a znode that exists', node('/frames', null, 0))
  await wire.call('createContainer', 'a container', node('/frames/c', null, 4))
  await wire.call('createTTL', 'a znode with a TTL', { ...node('/frames/t', 'x', 5), ttl: 60_000 })
  await wire.call('exists', 'a znode that is there', { path: '/frames', watch: false })
  await wire.call('getData', 'five bytes', { path: '/frames', watch: false })
  await wire.call('getData', 'null', { path: '/frames/e', watch: false })
  await wire.call('getData', 'no bytes', { path: '/frames/n-0000000000', watch: false })
  await wire.call('getData', 'a znode that is not there', { path: '/frames/nope', watch: true })
  await wire.call('getACL', 'the ACL of everybody', { path: '/frames' })
  await wire.call('getChildren', 'four names', { path: '/frames', watch: false })
  await wire.call('getChildren', 'no names', { path: '/frames/c', watch: false })
  await wire.call('getChildren2', 'names and a Stat', { path: '/frames', watch: false })
  await wire.call('getAllChildrenNumber', 'a count', { path: '/frames' })
  await wire.call('getEphemerals', 'those of this session', { prefixPath: '/frames' })
  await wire.call('sync', 'with the leader', { path: '/frames' })
}

async function changeAndDelete(wire: Conversation): Promise<void> {
  const data = Buffer.from('second')
  const bob = { scheme: 'digest', id: 'bob:fyVmFCwVbTJYrznoSu1koqYEYF0=' }
  const song = { scheme: 'ip', id: '\u{1f3b5}' }
  await wire.call('setData', 'the first version', { path: '/frames', data, version: 0 })
  await wire.call('setData', 'a version that is gone', { path: '/frames', data, version: 0 })
  await wire.call('setACL', 'a user and everybody', {
    path: '/frames',
    acl: [{ perms: 3, id: bob }, ...acl],
    version: -1,
  })
  await wire.call('setACL', 'an address that is none', {
    path: '/frames',
    acl: [{ perms: 1, id: song }],
    version: -1,
  })
  await wire.call('getACL', 'two entries', { path: '/frames' })
  await wire.call('delete', 'a znode with children', { path: '/frames', version: -1 })
  await wire.call('delete', 'any version', { path: '/frames/n-0000000000', version: -1 })
}

async function several(wire: Conversation): Promise<void> {
  const data = Buffer.from('m')
  await wire.call('multi', 'every operation that a multi may have', [
    { type: 13, request: { path: '/frames', version: 1 } },
    { type: 1, request: node('/frames/m1', 'm', 0) },
    { type: 15, request: node('/frames/m2', null, 1) },
    { type: 19, request: node('/frames/m3', '', 4) },
    { type: 21, request: { ...node('/frames/m4', 'm', 6), ttl: 60_000 } },
    { type: 5, request: { path: '/frames/m1', data, version: 0 } },
    { type: 2, request: { path: '/frames/m1', version: -1 } },
  ])
  await wire.call('multi', 'the second of three must fail', [
    { type: 5, request: { path: '/frames', data, version: -1 } },
    { type: 15, request: node('/frames', null, 0) },
    { type: 2, request: { path: '/frames/m2', version: -1 } },
  ])
  await wire.call('multi', 'nothing at all', [])
  await wire.call('multiRead', 'two reads of three succeed', [
    { type: 4, request: { path: '/frames', watch: false } },
    { type: 8, request: { path: '/frames/nope', watch: false } },
    { type: 8, request: { path: '/frames', watch: false } },
  ])
  await wire.call('multiRead', 'a write among reads', [
    { type: 2, request: { path: '/frames/m2', version: -1 } },
  ])
}

async function watches(wire: Conversation): Promise<void> {
  await wire.call('exists', 'waits for a znode', { path: '/frames/w', watch: true })
  await wire.call('getChildren2', 'waits for a child', { path: '/frames', watch: true })
  await wire.call('create', 'fires both', node('/frames/w', null, 0))
  await wire.call('addWatch', 'persistent', { path: '/frames/w', mode: 0 })
  await wire.call('addWatch', 'persistent and recursive', { path: '/frames', mode: 1 })
  await wire.call('setData', 'fires', { path: '/frames/w', data: null, version: -1 })
  await wire.call('checkWatches', 'is there one', { path: '/frames/w', type: 3 })
  await wire.call('removeWatches', 'all of them', { path: '/frames/w', type: 3 })
  await wire.call('removeWatches', 'the recursive one', { path: '/frames', type: 3 })
  await wire.call('checkWatches', 'is there one still', { path: '/frames/w', type: 3 })
  const lists = { dataWatches: ['/frames'], existWatches: ['/frames/w'], childWatches: ['/frames'] }
  await wire.call('setWatches', 'all have missed something', { relativeZxid: 1n, ...lists })
  await wire.call('setWatches2', 'with the lists that came with 3.6', {
    relativeZxid: 2n ** 62n,
    dataWatches: [],
    existWatches: ['/frames/gone'],
    childWatches: [],
    persistentWatches: ['/frames/w'],
    persistentRecursiveWatches: ['/frames'],
  })
  await wire.call('delete', 'fires', { path: '/frames/w', version: -1 })
}

async function administer(wire: Conversation): Promise<void> {
  const user = (text: string) => ({ type: 0, scheme: 'digest', auth: Buffer.from(text) })
  await wire.call('auth', 'a user', user('bob:secret'), -4)
  await wire.call('whoAmI', 'an address and a user')
  await wire.call('auth', 'the super user', user('super:admin'), -4)
  await wire.call('reconfig', 'removes a server that is not there', {
    joiningServers: null,
    leavingServers: '7',
    newMembers: null,
    curConfigId: -1n,
  })
  await wire.call('reconfig', 'from a configuration that never was', {
    joiningServers: null,
    leavingServers: '7',
    newMembers: null,
    curConfigId: 3n,
  })
}

async function otherHandshakes({ sessionId, passwd }: ConnectResponse): Promise<void> {
  await shake('a session that is closed', { sessionId, passwd, lastZxidSeen: 1n })
  await shake('without the byte for read-only servers', { readOnly: null })
  const wire = await Conversation.open()
  await wire.handshake('a session for a wrong identity', {})
  const auth = { type: 0, scheme: 'nonsense', auth: Buffer.from('x') }
  await wire.call('auth', 'a scheme that does not exist', auth, -4)
  wire.close()
}

async function shake(meaning: string, request: object): Promise<void> {
  const wire = await Conversation.open()
  await wire.handshake(meaning, request)
  wire.close()
}

async function saslHandshake(): Promise<void> {
  const wire = await Conversation.open()
  await wire.handshake('a session for SASL', {})
  await wire.call('sasl', 'DIGEST-MD5 begins with no bytes', { token: Buffer.alloc(0) })
  await wire.call('sasl', 'a response that is wrong', { token: Buffer.from('response=wrong') })
  wire.close()
}

/** The length apart, and the rest in lines. */
function printHex(hex: string): string {
  const [length, content] = [hex.slice(0, 8), hex.slice(8)]
  if (hex.length < 80) return `'${length} ${content}'`
  const lines = content.match(/.{1,88}/g) ?? []
  return `\`${[length, ...lines].join('\n      ')}\``
}

function print(version: string): string {
  const entries = frames.map(({ kind, meaning, hex }) => {
    return `{ kind: '${kind}', meaning: '${meaning}', hex: ${printHex(hex)} },`
  })
  return `// CAPTURED by scripts/capture-frames.ts from a real server. Do not edit.

import type { KnownFrame } from '../support/frames.ts'

/** The Apache ZooKeeper that sent the replies. */
export const capturedVersion = '${version}'

/** One conversation, in order. Meanings of replies are said by the requests before them. */
export const capturedFrames: readonly KnownFrame[] = [
${entries.join('\n')}
]
`
}

await main()
