import { describe, expect, test } from 'vitest'
import { EventType, WatcherType } from '../../../src/protocol/constants.ts'
import { type Failure } from '../../../src/session/call.ts'
import { type TableName, type Watcher } from '../../../src/session/watches.ts'
import { Harness, type HarnessOptions, type SentFrame } from '../../support/session-harness.ts'
import { addWatch, exists, getChildren, getData, setData, stat } from '../../support/test-call.ts'

const { NodeCreated, NodeDeleted, NodeDataChanged, NodeChildrenChanged } = EventType
const persistent = 0
const recursive = 1
const noNode = -101
const noWatcher = -121
const throttled = -127

/** Watchers by name, and what they hear. */
function watched(options?: HarnessOptions) {
  const harness = Harness.connected(options)
  const heard: string[] = []
  const watchers = new Map<string, Watcher>()
  const watcher = (name: string): Watcher => {
    const made: Watcher = ({ type, path }) => heard.push(`${name}: ${type} ${path}`)
    watchers.set(name, made)
    return made
  }
  const unwatch = (
    name: string,
    tables: readonly TableName[],
    settled?: (failure: Failure | null) => void,
  ) => {
    const removed = harness.session.pipeline.watches.unwatch(
      tables,
      '/a',
      (one) => one === watchers.get(name),
      settled,
    )
    harness.turn()
    return removed
  }
  return { harness, heard, watcher, unwatch }
}

/** What a frame asks of the server's watches: `addWatch persistent`, `removeWatches 3`, `getData +`. */
function asked({ operation, request }: SentFrame): string {
  const { mode, type, watch } = request
  if (operation.name === 'addWatch')
    return `addWatch ${mode === persistent ? 'persistent' : 'recursive'}`
  if (operation.name === 'removeWatches') return `removeWatches ${type}`
  if (watch === undefined) return operation.name
  return `${operation.name} ${watch ? '+' : '-'}`
}

function takeAsked(harness: Harness): string[] {
  return harness.takeFrames().map(asked)
}

describe('a request that sets a watch', () => {
  test('asks for none on a path that has a persistent watch, or will have', () => {
    const { harness, watcher } = watched()
    harness.submit(
      getData('/a', watcher('before')),
      addWatch('/a', persistent, watcher('persistent')),
      getData('/a', watcher('after')),
      exists('/b', watcher('elsewhere')),
    )
    harness.turn()
    expect(takeAsked(harness)).toEqual([
      'getData +',
      'addWatch persistent',
      'getData -',
      'exists +',
    ])
    harness.answerAll().submit(getChildren('/a', watcher('child')))
    harness.turn()
    expect(takeAsked(harness)).toEqual(['getChildren -'])
  })

  test('asks for one behind the removal of a persistent watch', () => {
    const { harness, watcher, unwatch } = watched()
    harness.submit(addWatch('/a', persistent, watcher('p')))
    harness.turn().answer().takeSent()
    unwatch('p', ['persistent'])
    harness.submit(getData('/a', watcher('data')))
    expect(takeAsked(harness.turn())).toEqual(['removeWatches 3', 'getData +'])
    harness.answerAll()
    expect(harness.takeSent()).toEqual([])
  })

  test('never makes a recursive watch a weaker one', () => {
    const { harness, watcher } = watched()
    harness.submit(
      addWatch('/a', recursive, watcher('recursive')),
      addWatch('/a', persistent, watcher('persistent')),
    )
    harness.turn()
    expect(takeAsked(harness)).toEqual(['addWatch recursive', 'addWatch recursive'])
  })

  test('is sent as it was meant when it is sent again', () => {
    const { harness, watcher } = watched()
    harness.submit(addWatch('/a', recursive, watcher('lost')), getData('/a', watcher('data')))
    harness.turn().cut()
    harness.takeSent()
    harness.connect()
    expect(takeAsked(harness).slice(1)).toEqual(['addWatch recursive', 'getData -'])
  })

  test('that was taken back before it was sent asks for none', () => {
    const { harness, watcher } = watched({ inFlightMax: 1 })
    const [, second] = harness.submit(getData('/b'), getData('/a', watcher('data')))
    second.watcher = null
    harness.turn().answer()
    expect(takeAsked(harness)).toEqual(['getData -', 'getData -'])
  })

  test('that cannot be encoded fails alone', () => {
    const { harness, watcher } = watched({ frameOutBytesMax: 40 })
    const [call] = harness.submit(getData(`/${'x'.repeat(50)}`, watcher('data')))
    expect(call.fate).toBe('REQUEST_TOO_LARGE not-applied')
    expect(harness.session.pipeline.watches.size).toBe(0)
  })
})

describe('a watch that nobody wants any more', () => {
  test.each<[string, TableName, () => ReturnType<typeof getData>, number]>([
    ['data', 'data', () => getData('/a', () => {}), 0],
    ['exist', 'exist', () => exists('/a', () => {}), noNode],
    ['child', 'child', () => getChildren('/a', () => {}), 0],
    ['persistent', 'persistent', () => addWatch('/a', persistent, () => {}), 0],
    ['recursive', 'recursive', () => addWatch('/a', recursive, () => {}), 0],
  ])('is removed from the server: %s', (_, table, call, err) => {
    const { harness } = watched()
    harness.submit(call())
    harness.turn().answer({ err }).takeSent()
    const fates: (Failure | null)[] = []
    expect(
      harness.session.pipeline.watches.unwatch(
        [table],
        '/a',
        () => true,
        (fate) => fates.push(fate),
      ),
    ).toHaveLength(1)
    expect(takeAsked(harness.turn())).toEqual([`removeWatches ${WatcherType.Any}`])
    expect(fates).toEqual([])
    harness.answer()
    expect(fates).toEqual([null])
    expect(harness.session.pipeline.watches.size).toBe(0)
    expect(harness.watches.size).toBe(0)
  })

  test('stays while another watcher needs it', () => {
    const { harness, watcher, unwatch, heard } = watched()
    harness.submit(getData('/a', watcher('one')), exists('/a', watcher('two')))
    harness.turn().answerAll().takeSent()
    expect(unwatch('one', ['data'])).toHaveLength(1)
    expect(harness.takeSent()).toEqual([])
    harness.notify(NodeDataChanged, '/a')
    expect(heard).toEqual(['two: NodeDataChanged /a'])
  })

  test.each<[TableName, number]>([
    ['data', WatcherType.Data],
    ['child', WatcherType.Children],
  ])('goes alone while the path is watched in another way: %s', (table, type) => {
    const { harness, watcher, unwatch } = watched()
    harness.submit(getData('/a', watcher('data')), getChildren('/a', watcher('child')))
    harness.turn().answerAll().takeSent()
    unwatch(table, [table])
    expect(takeAsked(harness)).toEqual([`removeWatches ${type}`])
    harness.answer()
    expect(harness.session.pipeline.watches.size).toBe(0)
  })

  test('goes after what is in flight for the path has been answered, if still nobody wants it', () => {
    const { harness, watcher, unwatch, heard } = watched()
    harness.submit(getData('/a', watcher('one')))
    harness.turn().answer().takeSent()
    const [call] = harness.submit(exists('/a', watcher('two')))
    unwatch('one', ['data'])
    expect(takeAsked(harness)).toEqual(['exists +'])
    harness.answer()
    expect(call.fate).toBe('succeeded')
    expect(harness.takeSent()).toEqual([])
    harness.notify(NodeDataChanged, '/a')
    expect(heard).toEqual(['two: NodeDataChanged /a'])
  })

  test('of a call that was abandoned meanwhile goes, too', () => {
    const { harness, watcher } = watched()
    const [read, add] = harness.submit(
      getData('/a', watcher('data')),
      addWatch('/b', persistent, watcher('persistent')),
    )
    harness.turn()
    harness.session.abandon(read, 'ABORTED')
    harness.session.abandon(add, 'ABORTED')
    harness.takeSent()
    harness.answerAll()
    expect(harness.takeSent()).toEqual(['removeWatches /a', 'removeWatches /b'])
  })

  test('of a call that was abandoned before it was sent never was', () => {
    const { harness, watcher } = watched()
    const [read] = harness.submit(getData('/a', watcher('data')))
    harness.session.abandon(read, 'ABORTED')
    harness.turn()
    expect(harness.takeSent()).toEqual([])
    expect(harness.session.pipeline.watches.size).toBe(0)
  })

  test('of a call whose reply was too long goes, too', () => {
    const { harness, watcher } = watched({ frameInBytesMax: 200 })
    const [read] = harness.submit(getData('/a', watcher('data')))
    harness.turn().takeSent()
    harness.answer({ body: { data: Buffer.alloc(500), stat } })
    expect(read.fate).toBe('REPLY_TOO_LARGE applied')
    expect(takeAsked(harness)).toEqual([`removeWatches ${WatcherType.Any}`])
  })

  test('of a failed call never was', () => {
    const { harness, watcher } = watched()
    harness.submit(getData('/a', watcher('data')), addWatch('/a', persistent, watcher('p')))
    harness.turn().answer({ err: noNode }).answer({ err: throttled })
    expect(harness.watches.size).toBe(0)
    expect(harness.session.pipeline.watches.size).toBe(0)
    harness.takeSent()
  })

  test('is not removed by a request that waited while somebody came to want it', () => {
    const { harness, watcher, unwatch } = watched({ inFlightMax: 1 })
    harness.submit(getData('/a', watcher('one')))
    harness.turn().answer().takeSent()
    harness.submit(setData('/busy'), getData('/a', watcher('two')))
    unwatch('one', ['data']) // waits behind the read, which waits for room
    harness.answer().answer()
    harness.submit(setData('/last'))
    harness.turn()
    expect(harness.takeSent()).toEqual(['setData /busy', 'getData /a', 'setData /last'])
    expect(harness.watches.has(['data'], '/a')).toBe(true)
    unwatch('two', ['data'])
    harness.answer()
    expect(harness.takeSent()).toEqual(['removeWatches /a'])
  })

  test('that the server has not is as good as removed', () => {
    const { harness, watcher, unwatch } = watched()
    harness.submit(getData('/a', watcher('data')))
    harness.turn().answer()
    const fates: (Failure | null)[] = []
    unwatch('data', ['data'], (fate) => fates.push(fate))
    harness.answer({ err: noWatcher })
    expect(fates).toEqual([null])
  })

  test('that the server does not want to remove is left, and whoever waits is told', () => {
    const { harness, watcher, unwatch } = watched()
    harness.submit(addWatch('/a', persistent, watcher('p')))
    harness.turn().answer()
    const fates: (Failure | null)[] = []
    unwatch('p', ['persistent'], (fate) => fates.push(fate))
    harness.answer({ err: throttled })
    expect(fates).toMatchObject([{ code: 'THROTTLED_OP' }])
    harness.turn().takeSent()
    harness.notify(NodeCreated, '/a')
    expect(harness.takeSent()).toEqual([])
  })

  test('is no matter for a connection that is gone', () => {
    const { harness, watcher, unwatch } = watched()
    harness.submit(getData('/a', watcher('one')), getData('/a', watcher('two')))
    harness.turn().answerAll()
    const fates: (Failure | null)[] = []
    unwatch('one', ['data'], (fate) => fates.push(fate))
    unwatch('two', ['data'], (fate) => fates.push(fate))
    expect(fates).toEqual([null])
    harness.cut()
    expect(fates).toEqual([null, null])
    harness.connect()
    expect(harness.takeSent().slice(-1)).toEqual(['connect'])
  })

  test('because its owner has ended, goes when the last of all owners has', () => {
    const { harness, watcher, heard } = watched()
    const [mine, other] = [watcher('mine'), watcher('other')]
    harness.submit(getData('/a', mine), getChildren('/a', mine), getData('/a', other))
    harness.turn().answerAll().takeSent()
    harness.session.pipeline.watches.endOneShots((one) => one === mine)
    expect(heard).toEqual(['mine: closed /a', 'mine: closed /a'])
    expect(takeAsked(harness.turn())).toEqual([`removeWatches ${WatcherType.Children}`])
    harness.answer().session.pipeline.watches.endOneShots((one) => one === other)
    expect(takeAsked(harness.turn())).toEqual([`removeWatches ${WatcherType.Any}`])
  })

  test('needs no server while there is none', () => {
    const { harness, watcher, unwatch } = watched()
    harness.submit(getData('/a', watcher('one')))
    harness.turn().answer().cut()
    const fates: (Failure | null)[] = []
    unwatch('one', ['data'], (fate) => fates.push(fate))
    expect(fates).toEqual([null])
    expect(harness.watches.size).toBe(0)
  })

  test('is not found a second time', () => {
    const { harness, watcher, unwatch } = watched()
    harness.submit(getData('/a', watcher('one')))
    harness.turn().answer().takeSent()
    expect(unwatch('one', ['data', 'exist', 'child'])).toHaveLength(1)
    expect(unwatch('one', ['data', 'exist', 'child'])).toEqual([])
  })
})

describe('a persistent watch that is weakened', () => {
  function lowered() {
    const all = watched()
    const { harness, watcher, unwatch } = all
    harness.submit(
      addWatch('/a', recursive, watcher('recursive')),
      addWatch('/a', persistent, watcher('persistent')),
    )
    harness.turn().answerAll().takeSent()
    unwatch('recursive', ['recursive'])
    return all
  }

  // Servers before 3.9 replace the one by the other, those from 3.9 on need both requests.
  test('becomes another one, and then the stronger one goes', () => {
    const { harness } = lowered()
    expect(takeAsked(harness)).toEqual(['addWatch persistent'])
    harness.answer()
    expect(takeAsked(harness)).toEqual([`removeWatches ${WatcherType.PersistentRecursive}`])
    harness.answer({ err: -5 })
    expect(harness.takeSent()).toEqual([])
  })

  test('serves as long as somebody has a one-shot watch, and goes with the last of them', () => {
    const { harness, watcher, unwatch } = lowered()
    harness.submit(getData('/a', watcher('data')))
    harness.turn().answerAll().answerAll()
    unwatch('persistent', ['persistent'])
    harness.takeSent()
    harness.notify(NodeDataChanged, '/a')
    expect(takeAsked(harness)).toEqual([`removeWatches ${WatcherType.Any}`])
  })

  test('and strengthened before that was answered stays strong', () => {
    const { harness, watcher } = lowered()
    harness.submit(addWatch('/a', recursive, watcher('again')))
    harness.turn()
    expect(takeAsked(harness)).toEqual(['addWatch persistent', 'addWatch recursive'])
    harness.answerAll()
    expect(harness.takeSent()).toEqual([])
    harness.submit(getData('/a', watcher('data')))
    expect(takeAsked(harness.turn())).toEqual(['getData -'])
  })

  test('stays as it is if the server refuses, until there is another occasion', () => {
    const { harness, heard } = lowered()
    harness.answer({ err: throttled }).takeSent()
    heard.length = 0
    harness.notify(NodeCreated, '/a/b')
    expect(heard).toEqual(['persistent: NodeChildrenChanged /a'])
    expect(takeAsked(harness)).toEqual(['addWatch persistent'])
  })

  test('is not weakened on the next connection, which is told what is wanted', () => {
    const { harness } = lowered()
    harness.cut().takeSent()
    const frames = harness.connect().takeFrames()
    expect(frames.map(({ text }) => text)).toEqual(['connect', 'setWatches2'])
    expect(frames[1]!.request).toMatchObject({
      persistentWatches: ['/a'],
      persistentRecursiveWatches: [],
    })
  })
})

describe('a one-shot watch that relied on a persistent one which did not come to be', () => {
  function uncovered(read = getData, err = 0) {
    const all = watched()
    const { harness, watcher } = all
    harness.submit(addWatch('/a', persistent, watcher('p')), read('/a', watcher('data')))
    harness.turn().answer({ err: throttled, zxid: 7n }).answer({ err, zxid: 8n })
    return all
  }

  test.each([
    ['data', getData, 0, 'dataWatches'],
    ['exist', exists, noNode, 'existWatches'],
    ['child', getChildren, 0, 'childWatches'],
  ])('is set relative to its read: %s', (_, read, err, list) => {
    const { harness } = uncovered(read, err)
    const frame = harness.takeFrames().at(-1)!
    expect(frame.text).toBe('setWatches')
    expect(frame.request).toMatchObject({ relativeZxid: 8n, [list]: ['/a'] })
    harness.answer()
    expect(harness.session.pipeline.watches.size).toBe(0)
  })

  test('costs the connection if it cannot be set', () => {
    const { harness } = uncovered()
    harness.answer({ err: throttled })
    expect(harness.session.state).toBe('suspended')
    expect(harness.drops).toBe(1)
    harness.takeSent()
    harness.advance(1_000).connect()
    expect(harness.takeSent().slice(-1)).toEqual(['setWatches'])
  })

  test('is set by the next connection if this one is cut', () => {
    const { harness } = uncovered()
    harness.cut().takeSent()
    harness.connect()
    expect(harness.takeSent()).toEqual(['connect', 'setWatches'])
  })
})

describe('under a recursive watch', () => {
  function underRecursive() {
    const all = watched()
    const { harness, watcher } = all
    harness.submit(
      addWatch('/a', recursive, watcher('recursive')),
      addWatch('/a', persistent, watcher('persistent')),
      getChildren('/a', watcher('child')),
    )
    harness.turn().answerAll()
    return all
  }

  test('changed children follow from born and dead ones', () => {
    const { harness, heard } = underRecursive()
    harness.notify(NodeCreated, '/a/b')
    harness.notify(NodeDataChanged, '/a/b')
    harness.notify(NodeCreated, '/a/b/c')
    harness.notify(NodeDeleted, '/a/b')
    expect(heard).toEqual([
      'recursive: NodeCreated /a/b',
      'child: NodeChildrenChanged /a',
      'persistent: NodeChildrenChanged /a',
      'recursive: NodeDataChanged /a/b',
      'recursive: NodeCreated /a/b/c',
      'recursive: NodeDeleted /a/b',
      'persistent: NodeChildrenChanged /a',
    ])
  })

  test('a server that tells of them by itself is not believed twice', () => {
    const { harness, heard } = underRecursive()
    heard.length = 0
    harness.notify(NodeCreated, '/a/b', 7n)
    harness.notify(NodeChildrenChanged, '/a', 7n)
    harness.notify(NodeChildrenChanged, '/a', 8n) // for instance of a child that we may not see
    expect(heard.filter((text) => text.startsWith('persistent'))).toEqual([
      'persistent: NodeChildrenChanged /a',
      'persistent: NodeChildrenChanged /a',
    ])
  })

  test('the root has no parent', () => {
    const { harness, heard, watcher } = watched()
    harness.submit(addWatch('/', recursive, watcher('recursive')))
    harness.turn().answer()
    harness.notify(NodeDeleted, '/')
    expect(heard).toEqual(['recursive: NodeDeleted /'])
  })
})
