import { describe, expect, test } from 'vitest'
import { EventType } from '../../../src/protocol/constants.ts'
import { type Operation, operations } from '../../../src/protocol/operations.ts'
import { Stat } from '../../../src/protocol/records.ts'
import { Capabilities } from '../../../src/session/capabilities.ts'
import { type WatchEvent } from '../../../src/session/watches.ts'
import { Harness } from '../../support/session-harness.ts'
import {
  addWatch,
  exists,
  getChildren,
  getData,
  setData,
  TestCall,
} from '../../support/test-call.ts'

const unimplemented = { err: -6, zxid: -1n }
const noNode = -101
const noAuth = -102

const create2 = (path: string) =>
  new TestCall(operations.create2, { path, data: null, acl: [], flags: 0 }, path, null)

const whoAmI = () => new TestCall(operations.whoAmI, undefined, '', null)

function connected() {
  const harness = Harness.connected({ hosts: ['zk1'] })
  const events: WatchEvent[] = []
  return { harness, events, watcher: (event: WatchEvent) => void events.push(event) }
}

/** The server closes the connection without a word, as often as it takes, until nothing is due. */
function closeWithoutWords(harness: Harness, times: number): string[][] {
  const sent: string[][] = []
  for (let i = 0; i < times; i++) {
    harness.turn()
    sent.push(harness.takeSent().filter((text) => text !== 'connect' && text !== 'ping'))
    harness.cut().connect()
  }
  sent.push(harness.takeSent().filter((text) => text !== 'connect'))
  return sent
}

describe('an operation that the server says it does not know', () => {
  test('fails at once, with the version that knows it, and is not sent again', () => {
    const { harness } = connected()
    const [first] = harness.submit(whoAmI())
    harness.turn().reply(harness.takeFrames()[0]!.xid, unimplemented)
    expect(first.failure).toMatchObject({
      code: 'UNIMPLEMENTED',
      since: '3.7',
      outcome: 'not-applied',
    })
    harness.cut().connect().takeSent()

    const [second] = harness.submit(whoAmI())
    expect(harness.turn().takeSent()).toEqual([])
    expect(second.failure).toMatchObject({
      code: 'UNIMPLEMENTED',
      since: '3.7',
      outcome: 'not-applied',
    })
    expect(harness.session.state).toBe('connected')
  })

  test('may be named ahead of the replies that the server still owes', () => {
    const { harness } = connected()
    const [read, unknown] = harness.submit(getData('/a'), whoAmI())
    harness.turn().reply(harness.takeFrames()[1]!.xid, unimplemented)
    expect([read.fate, unknown.failure!.code]).toEqual(['pending', 'UNIMPLEMENTED'])
    harness.cut().connect().answer()
    expect(read.fate).toBe('succeeded')
  })

  test('and was abandoned meanwhile is noted all the same', () => {
    const { harness } = connected()
    const [call] = harness.submit(whoAmI())
    harness.turn().session.abandon(call, 'ABORTED')
    harness.reply(harness.takeFrames()[0]!.xid, unimplemented)
    harness.submit(whoAmI())
    expect(harness.turn().takeSent()).toEqual([])
  })

  test('but nobody asked for costs the connection', () => {
    const { harness } = connected()
    expect(harness.reply(4_711, unimplemented)).toMatchObject({ code: 'PROTOCOL_ERROR' })
  })

  // As for a TTL where extended types are switched off: the connection stays, and so does the hope.
  test('is not one that it only refuses', () => {
    const { harness } = connected()
    const [call] = harness.submit(whoAmI())
    harness.turn().answer({ err: -6 })
    expect(call.failure).toMatchObject({ code: 'UNIMPLEMENTED', errno: -6 })
    expect(call.failure!.since).toBeUndefined()
    harness.takeSent()
    harness.submit(whoAmI())
    expect(harness.turn().takeSent()).toEqual(['whoAmI'])
  })
})

describe('an operation on which the server closes the connection without a word', () => {
  test('harms others once, then goes alone, and after three times fails', () => {
    const { harness } = connected()
    const [call, write] = harness.submit(whoAmI(), setData('/a'))
    harness.turn().takeSent()
    harness.cut().connect()
    expect(write.fate).toBe('CONNECTION_LOSS unknown')

    const [later] = harness.submit(setData('/b'))
    expect(closeWithoutWords(harness, 2)).toEqual([['whoAmI'], ['whoAmI'], ['setData /b']])
    expect(call.failure).toMatchObject({ code: 'UNIMPLEMENTED', since: '3.7' })
    harness.answer()
    expect(later.fate).toBe('succeeded')
  })

  test('is cleared by an answer', () => {
    const { harness } = connected()
    const [call, write] = harness.submit(whoAmI(), getData('/a'))
    harness.turn().cut().connect().takeSent()
    harness.answer({ body: { clientInfo: [] } }).answer()
    expect([call.fate, write.fate]).toEqual(['succeeded', 'succeeded'])
    harness.takeSent()
    for (let i = 0; i < 5; i++) {
      harness.submit(whoAmI(), getData('/a'))
      harness.turn().advance(1_000).cut().connect()
      expect(
        harness
          .takeSent()
          .filter((text) => text !== 'connect')
          .slice(0, 2),
      ).toEqual(['whoAmI', 'getData /a'])
      harness.answerAll()
    }
  })

  test('waits for what is in flight before it goes alone, and others wait behind it', () => {
    const { harness } = connected()
    harness.session.pipeline.capabilities.blame(operations.whoAmI)
    harness.submit(getData('/a'), whoAmI(), getData('/b'))
    expect(harness.turn().takeSent()).toEqual(['getData /a'])
    harness.answer()
    expect(harness.takeSent()).toEqual(['whoAmI'])
    harness.answer({ body: { clientInfo: [] } })
    expect(harness.takeSent()).toEqual(['getData /b'])
  })

  test('that is given up leaves the way free for others', () => {
    const { harness } = connected()
    const [call] = harness.submit(whoAmI())
    harness.turn().cut().connect().takeSent()
    const [read] = harness.submit(getData('/a'))
    expect(harness.turn().takeSent()).toEqual([])
    harness.session.abandon(call, 'TIMEOUT')
    harness.session.handleBytes(harness.nowMs, Buffer.alloc(0))
    expect(harness.turn().takeSent()).toEqual(['getData /a'])
    expect(read.fate).toBe('pending')
  })

  test('is not blamed if every server knows it', () => {
    const { harness } = connected()
    const [read] = harness.submit(getData('/a'))
    closeWithoutWords(harness, 5)
    expect(read.fate).toBe('pending')
  })
})

describe('an operation that the server ignores', () => {
  const trialMs = 8_000

  /** Time passes, and each ping is answered. */
  function live(harness: Harness, ms: number): Harness {
    for (let i = 0; i < ms; i += 1_000) {
      const isAsked = harness.advance(1_000).takeSent().includes('ping')
      if (isAsked) harness.reply(-2)
    }
    return harness
  }

  test('fails when the server has answered pings for long enough, and costs the connection', () => {
    const { harness } = connected()
    const [call] = harness.submit(whoAmI())
    harness.turn()
    live(harness, trialMs - 1_000)
    expect([call.fate, harness.drops]).toEqual(['pending', 0])
    live(harness, 1_000)
    expect(call.failure).toMatchObject({
      code: 'UNIMPLEMENTED',
      since: '3.7',
      outcome: 'not-applied',
    })
    expect(harness.drops).toBe(1)
    expect(harness.session.lastLoss).toMatchObject({
      code: 'TIMEOUT',
      detail: 'the server does not answer whoAmI',
      server: 'zk1:2181',
    })
    harness.connect().takeSent()
    const [again] = harness.submit(whoAmI())
    expect(again.failure).toMatchObject({ code: 'UNIMPLEMENTED' })
    expect(harness.turn().takeSent()).toEqual([])
  })

  test('is not judged by a server that is silent altogether: that may be the network', () => {
    const harness = new Harness({ hosts: ['zk1'] }).connect({ timeOut: 45_000 })
    harness.submit(whoAmI())
    harness.turn().advance(29_999)
    expect(harness.drops).toBe(0)
    harness.advance(1)
    expect(harness.session.lastLoss).toMatchObject({ detail: 'the server is silent' })
    harness.connect()
    expect(harness.takeSent()).toContain('whoAmI')
  })

  test('nor by a ping that went ahead of it', () => {
    const { harness } = connected()
    harness.nowMs += 4_000
    harness.session.handleDeadline(harness.nowMs)
    const [call] = harness.submit(whoAmI())
    expect(harness.turn().takeSent()).toEqual(['ping', 'whoAmI'])
    harness.reply(-2)
    harness.advance(2_000).notify(1, '/a').advance(2_000).notify(1, '/a')
    harness.advance(trialMs - 4_000).notify(1, '/a')
    harness.advance(1)
    expect(call.fate).toBe('pending')
  })

  test('is not judged before what has arrived meanwhile is read', () => {
    const { harness } = connected()
    const [call] = harness.submit(whoAmI())
    live(harness.turn(), 5_000)
    harness.nowMs += trialMs // the process was busy
    harness.session.handleDeadline(harness.nowMs)
    harness.answer({ body: { clientInfo: [] } }).advance(0)
    expect([call.fate, harness.drops]).toEqual(['succeeded', 0])
  })

  test('has its time from when the answers before it were there', () => {
    const { harness } = connected()
    const [, call] = harness.submit(setData('/a'), whoAmI())
    live(harness.turn(), 6_000).answer()
    live(harness, 6_000)
    expect(call.fate).toBe('pending')
    live(harness, 2_000)
    expect(call.fate).toBe('UNIMPLEMENTED not-applied')
  })

  test('has as much time on the next connection', () => {
    const { harness } = connected()
    const [call] = harness.submit(whoAmI())
    live(harness.turn(), 6_000).cut().connect()
    live(harness, 6_000)
    expect(call.fate).toBe('pending')
    live(harness, 2_000)
    expect(call.fate).toBe('UNIMPLEMENTED not-applied')
  })

  test('fails at once when a later request is answered, which is sent again', () => {
    const { harness } = connected()
    const [call, read] = harness.submit(whoAmI(), getData('/a'))
    const xid = harness.turn().takeFrames()[1]!.xid
    expect(harness.reply(xid)).toMatchObject({ code: 'PROTOCOL_ERROR' })
    expect(call.failure).toMatchObject({ code: 'UNIMPLEMENTED', since: '3.7' })
    expect(harness.connect().takeSent()).toEqual(['connect', 'getData /a'])
    harness.answer()
    expect(read.fate).toBe('succeeded')
  })

  test('but a reply to what nobody asked says nothing of it', () => {
    const { harness } = connected()
    const [call] = harness.submit(whoAmI())
    expect(harness.turn().reply(4_711)).toMatchObject({ code: 'PROTOCOL_ERROR' })
    expect(call.fate).toBe('pending')
  })

  test('and writes may have been carried out: three times they are lost with the connection', () => {
    const { harness } = connected()
    for (let i = 0; i < 3; i++) {
      const [call] = harness.submit(create2('/a'))
      live(harness.turn(), trialMs).connect()
      expect(call.fate).toBe('CONNECTION_LOSS unknown')
    }
    const [call] = harness.submit(create2('/a'))
    expect(call.fate).toBe('UNIMPLEMENTED not-applied')
  })

  test('is none that is known, nor a reconfig, which waits for the new servers', () => {
    const { harness } = connected()
    harness.submit(whoAmI())
    harness.turn().answer({ body: { clientInfo: [] } })
    const [known] = harness.submit(whoAmI())
    live(harness.turn(), 20_000).answer({ body: { clientInfo: [] } })
    expect(known.fate).toBe('succeeded')
    const request = { joiningServers: '', leavingServers: '1', newMembers: '', curConfigId: -1n }
    const [slow] = harness.submit(new TestCall(operations.reconfig, request, '', null))
    live(harness.turn(), 20_000)
    expect([slow.fate, harness.drops]).toEqual(['pending', 0])
  })

  test('keeps the place of a call that was given up, and not for ever', () => {
    const { harness } = connected()
    const [call] = harness.submit(whoAmI())
    harness.turn().session.abandon(call, 'ABORTED')
    live(harness, trialMs)
    expect(harness.drops).toBe(1)
    harness.connect().takeSent()
    harness.submit(whoAmI())
    expect(harness.turn().takeSent()).toEqual([])
  })

  test('leaves no watch behind that nobody would tell', () => {
    const { harness, events, watcher } = connected()
    harness.submit(addWatch('/p', 0, watcher), getData('/a', watcher))
    harness.turn().answerAll().cut().connect().takeSent()
    live(harness, trialMs) // setWatches2 stays without an answer
    expect(events.map(({ type }) => type)).toEqual(['resync', 'unimplemented'])
    harness.connect()
    expect(harness.takeSent().slice(-1)).toEqual(['setWatches'])
  })
})

describe('what is known of a server', () => {
  test('is kept for each of them, and forgotten after ten minutes', () => {
    const capabilities = new Capabilities()
    const { whoAmI: operation } = operations as Record<string, Operation>
    capabilities.at('zk1:2181', 0).refuse(operation!)
    expect(capabilities.at('zk1:2181', 599_999).isRefused(operation!)).toBe(true)
    expect(capabilities.at('zk2:2181', 0).isRefused(operation!)).toBe(false)
    expect(capabilities.at('zk1:2181', 600_000).isRefused(operation!)).toBe(false)
  })
})

describe('watches on a server that cannot be told of them at once', () => {
  function reconnected(calls: TestCall[], errs: number[] = []) {
    const all = connected()
    const { harness } = all
    harness.submit(...calls)
    harness.turn()
    for (const [i] of calls.entries()) harness.answer({ err: errs[i] ?? 0, zxid: 5n })
    harness.cut().takeSent()
    harness.session.pipeline.capabilities.refuse(operations.setWatches)
    harness.connect()
    return all
  }

  const answers: [string, bigint, string[]][] = [
    ['unchanged', 5n, []],
    ['newer', 6n, ['changed']],
  ]

  test.each(answers)('are set one by one: data, %s', (_, zxid, changed) => {
    const events: WatchEvent[] = []
    const { harness } = reconnected([getData('/a', (event) => events.push(event))])
    expect(harness.takeSent()).toEqual(['connect', 'exists /a'])
    harness.answer({ body: { stat: statAt(zxid) } })
    expect(events.map(({ type }) => type)).toEqual(changed.map(() => 'NodeDataChanged'))
  })

  test.each(answers)('are set one by one: children, %s', (_, zxid, changed) => {
    const events: WatchEvent[] = []
    const { harness } = reconnected([getChildren('/a', (event) => events.push(event))])
    expect(harness.takeSent()).toEqual(['connect', 'getChildren2 /a'])
    harness.answer({ body: { children: [], stat: statAt(zxid) } })
    expect(events.map(({ type }) => type)).toEqual(changed.map(() => 'NodeChildrenChanged'))
  })

  test.each([
    ['data', getData, 0, noNode, 'NodeDeleted'],
    ['data', getData, 0, noAuth, 'NodeDataChanged'],
    ['children', getChildren, 0, noNode, 'NodeDeleted'],
    ['children', getChildren, 0, noAuth, 'NodeChildrenChanged'],
    ['a missing znode', exists, noNode, 0, 'NodeCreated'],
  ])('tell what was missed: %s', (_, read, errBefore, err, type) => {
    const events: WatchEvent[] = []
    const { harness } = reconnected([read('/a', (event) => events.push(event))], [errBefore])
    harness.answer({ err })
    expect(events).toEqual([{ type, path: '/a', zxid: null }])
  })

  test('tell nothing of a znode that is still missing', () => {
    const events: WatchEvent[] = []
    const { harness } = reconnected([exists('/a', (event) => events.push(event))], [noNode])
    harness.answer({ err: noNode })
    expect(events).toEqual([])
    expect(harness.watches.size).toBe(1)
  })

  test('are not read again twice: another connection is told anew', () => {
    const { harness } = reconnected([getData('/a', () => {})])
    harness.takeSent()
    harness.cut().connect()
    expect(harness.takeSent()).toEqual(['connect', 'exists /a'])
  })

  test('cost the connection if they cannot be set this way either', () => {
    const { harness } = reconnected([getData('/a', () => {})])
    harness.answer({ err: -127 })
    expect(harness.session.state).toBe('suspended')
  })

  test('end if they are persistent, and the others are set', () => {
    const { harness, events, watcher } = connected()
    harness.submit(addWatch('/p', 0, watcher), addWatch('/r', 1, watcher), getData('/a', watcher))
    harness.turn().answerAll().cut().takeSent()
    harness.connect()
    const [, frame] = harness.takeFrames()
    expect(frame!.text).toBe('setWatches2')
    harness.reply(frame!.xid, unimplemented)
    expect(events.map(({ type, path }) => `${type} ${path}`)).toEqual([
      'resync /p',
      'resync /r',
      'unimplemented /p',
      'unimplemented /r',
    ])
    harness.cut().connect()
    expect(harness.takeSent().slice(-1)).toEqual(['setWatches'])
    harness.notify(EventType.NodeDataChanged, '/a')
    expect(events.at(-1)).toMatchObject({ type: 'NodeDataChanged', path: '/a' })
  })

  test('are set again on the same connection as soon as the server is known not to know setWatches2', () => {
    const { harness, watcher, events } = connected()
    harness.submit(addWatch('/p', 0, watcher), getData('/a', watcher))
    harness.turn().answerAll().cut().takeSent()
    harness.session.pipeline.capabilities.refuse(operations.setWatches2)
    harness.connect()
    expect(harness.takeSent()).toEqual(['connect', 'setWatches'])
    expect(events.map(({ type }) => type)).toEqual(['resync', 'unimplemented'])
  })
})

/** The Stat of a znode that, with its children, was changed last by `zxid`. */
function statAt(zxid: bigint): Stat {
  return new Stat(1n, zxid, 3, 4, 5, 6, 7, 0n, 8, 9, zxid)
}

describe('a server that opens another session instead of resuming one', () => {
  test('has let the session expire', () => {
    const { harness, events, watcher } = connected()
    harness.submit(getData('/a', watcher))
    harness.turn().answer().cut()
    harness.connect({ sessionId: 4_711n })
    expect(harness.session.state).toBe('expired')
    expect(harness.session.id).not.toBe(4_711n)
    expect(events).toMatchObject([{ type: 'session-expired' }])
    expect(harness.drops).toBe(1)
  })
})
