import { describe, expect, test } from 'vitest'
import { parseWord } from '../../../src/protocol/four-letter-words.ts'

// Answers of Apache ZooKeeper 3.5.10 and 3.9.5, as they came.
const srvr35 =
  'Zookeeper version: 3.5.10-a32c7183d42325b03e44a06aade6a0f16955bf13, built on 05/29/2022 16:59 GMT\n' +
  'Latency min/avg/max: 1/5/9\nReceived: 9\nSent: 8\nConnections: 2\nOutstanding: 0\nZxid: 0x3\n' +
  'Mode: standalone\nNode count: 7\n'
const build39 = '3.9.5-293c895a8d966a3ecb92872be4a1daf87d725da2, built on 2026-02-11 20:18 UTC'
const srvr39 =
  `Zookeeper version: ${build39}\nLatency min/avg/max: 0/3.25/6\nReceived: 10\nSent: 9\n` +
  'Connections: 2\nOutstanding: 1\nZxid: 0x20000000a\nMode: leader\nNode count: 7\n' +
  'Proposal sizes last/min/max: 48/48/36\n'
const stat35 =
  'Zookeeper version: 3.5.10-a32c7183d42325b03e44a06aade6a0f16955bf13, built on 05/29/2022 16:59 GMT\n' +
  'Clients:\n /127.0.0.1:51828[1](queued=0,recved=4,sent=4)\n' +
  ' /[0:0:0:0:0:0:0:1]:51894[0](queued=2,recved=1,sent=0)\n\nLatency min/avg/max: 1/5/9\n' +
  'Received: 15\nSent: 14\nConnections: 2\nOutstanding: 0\nZxid: 0x3\nMode: standalone\nNode count: 7\n'
const cons39 =
  ' /127.0.0.1:59912[1](queued=0,recved=4,sent=4,sid=0x1000031a99f0000,lop=CREA,est=1795512528354,' +
  'to=18000,lcxid=0x3,lzxid=0x3,lresp=3254942,llat=1,minlat=0,avglat=3,maxlat=6)\n' +
  ' /127.0.0.1:59928[0](queued=0,recved=1,sent=0)\n\n'
const notAllowed = 'mntr is not executed because it is not in the whitelist.\n'
const notServing = 'This ZooKeeper instance is not currently serving requests\n'

describe('srvr', () => {
  test('of 3.5', () => {
    expect(parseWord('srvr', srvr35)).toEqual({
      version: '3.5.10',
      build: '3.5.10-a32c7183d42325b03e44a06aade6a0f16955bf13, built on 05/29/2022 16:59 GMT',
      latencyMs: { min: 1, avg: 5, max: 9 },
      received: 9,
      sent: 8,
      connections: 2,
      outstanding: 0,
      zxid: 3n,
      mode: 'standalone',
      nodeCount: 7,
    })
  })

  test('of a leader of 3.9', () => {
    expect(parseWord('srvr', srvr39)).toMatchObject({
      version: '3.9.5',
      build: build39,
      latencyMs: { min: 0, avg: 3.25, max: 6 },
      outstanding: 1,
      zxid: 0x2_0000_000an,
      mode: 'leader',
    })
  })

  test('of a build that has no number', () => {
    const text = srvr35.replace(/version: .*/, 'version: unknown')
    expect(parseWord('srvr', text)).toMatchObject({ version: 'unknown', build: 'unknown' })
  })

  test.each(['', 'HTTP/1.1 400 Bad Request', srvr35.replace('Mode', 'Mood')])(
    'is not %j',
    (text) => {
      expect(() => parseWord('srvr', text)).toThrow(/PROTOCOL_ERROR/)
    },
  )
})

describe('connections', () => {
  test('in the answer to cons have what is known of their sessions', () => {
    expect(parseWord('cons', cons39)).toEqual([
      {
        address: '127.0.0.1:59912',
        queued: 0,
        received: 4,
        sent: 4,
        session: {
          id: 0x1000031a99f0000n,
          lastOperation: 'CREA',
          establishedMs: 1_795_512_528_354,
          timeoutMs: 18_000,
          lastZxid: 3n,
          latencyMs: { last: 1, min: 0, avg: 3, max: 6 },
        },
      },
      { address: '127.0.0.1:59928', queued: 0, received: 1, sent: 0, session: null },
    ])
  })

  test('in the answer to stat have none', () => {
    expect(parseWord('stat', stat35)).toMatchObject({
      version: '3.5.10',
      nodeCount: 7,
      clients: [
        { address: '127.0.0.1:51828', session: null },
        { address: '[0:0:0:0:0:0:0:1]:51894', queued: 2, session: null },
      ],
    })
  })

  test('may have negative ids, nothing behind them, and none at all', () => {
    const text = ' /10.0.0.1:1[1](queued=0,recved=0,sent=0,sid=0xff00000000000001)\n'
    expect(parseWord('cons', text)).toMatchObject([
      { session: { id: -0xffffffffffffffn, lastOperation: 'NA', lastZxid: 0n, timeoutMs: 0 } },
    ])
    expect(parseWord('cons', '\n')).toEqual([])
    expect(() => parseWord('cons', text.replace('0xff', 'none'))).toThrow(/PROTOCOL_ERROR/)
  })
})

describe('pairs', () => {
  test('of conf are its keys and values, membership and all', () => {
    const text =
      'clientPort=23017\nsecureClientPort=-1\ndataDir=/data/a=b\ntickTime=500\nmembership: \n' +
      'server.1=127.0.0.1:1:2:participant;127.0.0.1:3\nversion=0'
    expect(Object.fromEntries(parseWord('conf', text))).toEqual({
      clientPort: '23017',
      secureClientPort: '-1',
      dataDir: '/data/a=b',
      tickTime: '500',
      'server.1': '127.0.0.1:1:2:participant;127.0.0.1:3',
      version: '0',
    })
  })

  test('of mntr are numbers, but for what is a word', () => {
    const text =
      `zk_version\t${build39}\nzk_server_state\tstandalone\nzk_avg_latency\t3.25\n` +
      'zk_znode_count\t7\nzk_tiny\t1.0E-4\nzk_dead\tNaN\n'
    expect(Object.fromEntries(parseWord('mntr', text))).toEqual({
      zk_version: build39,
      zk_server_state: 'standalone',
      zk_avg_latency: 3.25,
      zk_znode_count: 7,
      zk_tiny: 0.0001,
      zk_dead: 'NaN',
    })
    expect(() => parseWord('mntr', 'nothing')).toThrow(/PROTOCOL_ERROR/)
  })
})

test('wchs counts', () => {
  const text = '1 connections watching 2 paths\nTotal watches:3\n'
  expect(parseWord('wchs', text)).toEqual({ connections: 1, paths: 2, watches: 3 })
  expect(() => parseWord('wchs', 'imok')).toThrow(/PROTOCOL_ERROR/)
})

test('ruok and isro say one word', () => {
  expect(parseWord('ruok', 'imok')).toBe(true)
  expect(parseWord('isro', 'rw')).toBe('rw')
  expect(parseWord('isro', 'ro')).toBe('ro')
  expect(() => parseWord('ruok', '')).toThrow(/PROTOCOL_ERROR/)
  expect(() => parseWord('isro', 'x'.repeat(500))).toThrow(/"x{60}…"/)
})

test.each([
  ['mntr', notAllowed, 'NOT_ALLOWED'],
  ['srvr', notServing, 'NOT_SERVING'],
  ['isro', 'null', 'NOT_SERVING'],
] as const)('%s that is answered by %j is an error', (word, text, code) => {
  expect(() => parseWord(word, text)).toThrow(expect.objectContaining({ code, op: word }) as Error)
})
