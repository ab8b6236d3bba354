import { describe, expect, test } from 'vitest'
import { EventType } from '../../../src/protocol/constants.ts'
import { operations } from '../../../src/protocol/operations.ts'
import { type WatchEvent } from '../../../src/session/watches.ts'
import { Harness, reply } from '../../support/session-harness.ts'
import {
  addWatch,
  exists,
  getChildren,
  getData,
  setData,
  TestCall,
} from '../../support/test-call.ts'

const noNode = -101
const noAuth = -102
const { NodeCreated, NodeDataChanged } = EventType

function watching() {
  const events: WatchEvent[] = []
  const watcher = (event: WatchEvent) => void events.push(event)
  return { harness: Harness.connected(), events, watcher }
}

/** The lists of the last setWatches that was sent, without the empty ones. */
function armed(harness: Harness): object {
  const frame = harness.takeFrames().findLast(({ text }) => text.startsWith('setWatches'))
  const lists = Object.entries<string[] | bigint>(frame?.request ?? {})
  return Object.fromEntries(lists.filter(([, list]) => typeof list !== 'bigint' && list.length > 0))
}

describe('a watch', () => {
  test.each([
    ['getData', getData, 0, { dataWatches: ['/a'] }],
    ['getData', getData, noNode, {}],
    ['exists', exists, 0, { dataWatches: ['/a'] }],
    ['exists', exists, noNode, { existWatches: ['/a'] }],
    ['exists', exists, noAuth, {}],
    ['getChildren', getChildren, 0, { childWatches: ['/a'] }],
    ['getChildren', getChildren, noNode, {}],
  ])('of %s is set as the server sets it', (_, operation, err, lists) => {
    const { harness, watcher } = watching()
    harness.submit(operation('/a', watcher))
    harness.turn().answer({ err })
    harness.cut().connect()
    expect(armed(harness)).toEqual(lists)
  })

  test.each([
    [0, { persistentWatches: ['/a'] }],
    [1, { persistentRecursiveWatches: ['/a'] }],
  ])('of addWatch with mode %i is set in the table of that mode', (mode, lists) => {
    const { harness, watcher } = watching()
    harness.submit(addWatch('/a', mode, watcher))
    harness.turn().answer()
    harness.cut().connect()
    expect(armed(harness)).toEqual(lists)
  })

  test('that nobody asked for is not set', () => {
    const { harness } = watching()
    harness.submit(getData('/a'), exists('/b'))
    harness.turn().answer().answer({ err: noNode })
    expect(harness.watches.size).toBe(0)
  })

  test('of an operation that sets none is not kept', () => {
    const { harness, watcher } = watching()
    harness.submit(new TestCall(operations.sync, { path: '/a' }, '/a', watcher))
    harness.turn().answer({ body: { path: '/a' } })
    expect(harness.watches.size).toBe(0)
  })

  test('is set before the answer is told, so that nothing can come between', () => {
    const { harness, events, watcher } = watching()
    const [call] = harness.submit(getData('/a', watcher))
    call.onSettled = () => expect(harness.watches.isWatched('/a')).toBe(true)
    harness.turn().answer().notify(NodeDataChanged, '/a')
    expect(call.fate).toBe('succeeded')
    expect(events).toEqual([{ type: 'NodeDataChanged', path: '/a', zxid: null }])
  })

  test('of an abandoned call is not set', () => {
    const { harness, events, watcher } = watching()
    const [call] = harness.submit(getData('/a', watcher))
    harness.turn().session.abandon(call, 'ABORTED')
    harness.answer().notify(NodeDataChanged, '/a')
    expect(events).toEqual([])
  })

  test('fires with the zxid of the change, where the server says it', () => {
    const { harness, events, watcher } = watching()
    harness.submit(addWatch('/a', 0, watcher))
    harness.turn().answer()
    for (const zxid of [-1n, 0n, 77n]) harness.notify(NodeCreated, '/a', zxid)
    expect(events.map(({ zxid }) => zxid)).toEqual([null, null, 77n])
  })

  test('event of an unknown type is ignored, not fatal', () => {
    const { harness, events, watcher } = watching()
    harness.submit(addWatch('/a', 0, watcher))
    harness.turn().answer().notify(4711, '/a').notify(NodeCreated, '/a')
    expect(events.map(({ type }) => type)).toEqual(['NodeCreated'])
    expect(harness.states).toEqual(['connected'])
  })

  test('event that cannot be decoded costs the connection', () => {
    const { harness } = watching()
    harness.receive(reply({ xid: -1, zxid: -1n, err: 0 }))
    expect(harness.states).toEqual(['connected', 'suspended'])
  })

  test('and replies reach their owners in wire order', () => {
    const { harness } = watching()
    const order: string[] = []
    const [set] = harness.submit(
      setData('/b'),
      getData('/a', ({ type }) => order.push(type)),
      getData('/c'),
    )
    set.onSettled = () => order.push('setData')
    harness.turn().answer().answer().notify(NodeDataChanged, '/a').answer()
    expect(order).toEqual(['setData', 'NodeDataChanged'])
  })
})

describe('a new connection', () => {
  test('is told of the watches before it gets requests, relative to the last reply', () => {
    const { harness, watcher } = watching()
    harness.submit(getData('/a', watcher))
    harness.turn().answer({ zxid: 42n })
    harness.notify(NodeCreated, '/elsewhere', 99n)
    harness.submit(setData('/b'))
    harness.cut().takeSent()

    const frames = harness.connect().takeFrames()
    expect(frames.map(({ text }) => text)).toEqual(['connect', 'setWatches', 'setData /b'])
    expect(frames[1]!.request.relativeZxid).toBe(42n)
  })

  // Servers before 3.6 close the connection on an operation they do not know.
  test('is told in the old way unless there are persistent watches', () => {
    const { harness, watcher } = watching()
    harness.submit(getData('/a', watcher), getChildren('/b', watcher), exists('/c', watcher))
    harness.turn().answer().answer().answer({ err: noNode })
    harness.takeSent()
    harness.cut().connect()
    expect(harness.takeSent()).toEqual(['connect', 'setWatches'])

    harness.submit(addWatch('/p', 0, watcher))
    harness.turn().answer().answer().takeSent()
    harness.advance(1_000).cut().connect()
    expect(harness.takeSent()).toEqual(['connect', 'setWatches2'])
  })

  test('is told in chunks, and only those with persistent watches in the new way', () => {
    const { harness, watcher } = watching()
    const long = 'x'.repeat(100_000)
    harness.watches.add('data', `/1${long}`, watcher)
    harness.watches.add('child', `/2${long}`, watcher)
    harness.watches.add('recursive', `/3${long}`, watcher)
    harness.cut().connect()
    expect(harness.takeSent()).toEqual(['connect', 'setWatches', 'setWatches', 'setWatches2'])
  })

  // What they read from now on is read behind the watches, so nothing can be missed in between.
  test('tells persistent watchers to read again, before anything that the link tells', () => {
    const { harness, events, watcher } = watching()
    harness.submit(addWatch('/p', 0, watcher), addWatch('/r', 1, watcher), getData('/d', watcher))
    harness.turn().answerAll().cut()
    expect(events).toEqual([])

    harness.connect()
    harness.notify(NodeDataChanged, '/d') // what the server noticed while it armed the watches
    harness.answer().notify(NodeCreated, '/r/x')
    expect(events.map(({ type, path }) => `${type} ${path}`)).toEqual([
      'resync /p',
      'resync /r',
      'NodeDataChanged /d',
      'NodeCreated /r/x',
    ])
  })

  test('that does not set the watches is left for another one, which does', () => {
    const { harness, events, watcher } = watching()
    harness.submit(addWatch('/p', 0, watcher))
    harness.turn().answerAll().cut().connect()
    harness.answer({ err: -127 })
    expect(harness.session.state).toBe('suspended')
    expect(harness.drops).toBe(1)

    harness.advance(1_000).connect().answer()
    expect(events.map(({ type }) => type)).toEqual(['resync'])
    expect(harness.session.state).toBe('connected')
  })

  test('is told in chunks that fit into the requests it is sent', () => {
    const harness = Harness.connected({ frameOutBytesMax: 100 })
    for (let i = 0; i < 20; i++) harness.watches.add('data', `/${i}`, () => undefined)
    harness.cut().connect()
    const sent = harness.takeSent()
    expect(sent.filter((text) => text === 'setWatches').length).toBeGreaterThan(1)
    expect(harness.session.state).toBe('connected')
  })

  // What was read since then has not been answered, or was read behind the watches.
  test('that is cut before it set the watches leaves one gap, of which the owner knows', () => {
    const { harness, events, watcher } = watching()
    harness.submit(addWatch('/p', 0, watcher))
    harness.turn().answerAll().cut().connect()
    harness.cut().connect()
    expect(harness.takeSent().slice(-2)).toEqual(['connect', 'setWatches2'])
    expect(events.map(({ type }) => type)).toEqual(['resync'])

    harness.answer().cut().connect() // these were set, so this is another gap
    expect(events.map(({ type }) => type)).toEqual(['resync', 'resync'])
  })

  test('is another gap once the session was lost: what was read in the first one has failed', () => {
    const { harness, events, watcher } = watching()
    harness.submit(addWatch('/p', 0, watcher))
    harness.turn().answerAll().cut().connect()
    harness.cut() // before it set the watches
    while (harness.session.state !== 'lost') harness.wake()
    harness.connect()
    expect(events.map(({ type }) => type)).toEqual(['resync', 'resync'])
  })

  test('R53: the gap of an owner who has left is not that of the next one', () => {
    const { harness, events, watcher } = watching()
    harness.submit(addWatch('/p', 0, () => undefined))
    harness.turn().answerAll().cut().connect()
    harness.cut() // before it set the watches
    harness.watches.remove('persistent', '/p', () => true)
    harness.connect().submit(addWatch('/p', 0, watcher))
    harness.turn().answerAll().cut().connect()
    expect(events.map(({ type }) => type)).toEqual(['resync'])
  })

  test('is not told of one-shot watches that have fired', () => {
    const { harness, watcher } = watching()
    harness.submit(getData('/a', watcher))
    harness.turn().answer().notify(NodeDataChanged, '/a')
    harness.takeSent()
    harness.cut().connect()
    expect(harness.takeSent()).toEqual(['connect'])
  })
})
