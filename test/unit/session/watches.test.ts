import { describe, expect, test } from 'vitest'
import { AddWatchMode, EventType } from '../../../src/protocol/constants.ts'
import { type TableName, tableOfMode, Watches } from '../../../src/session/watches.ts'

const tables: readonly TableName[] = ['data', 'exist', 'child', 'persistent', 'recursive']
const { NodeCreated, NodeDeleted, NodeDataChanged, NodeChildrenChanged } = EventType

/** Watches whose watchers note what they hear, as `table: type path`. */
function noted() {
  const heard: string[] = []
  const watches = new Watches((watcher, event) => {
    watcher(event)
  })
  const add = (table: TableName, path: string, name: string = table) => {
    const watcher = ({ type, path: of }: { type: string; path: string }) => {
      heard.push(`${name}: ${type} ${of}`)
    }
    watches.add(table, path, watcher)
    return watcher
  }
  const notify = (type: number, path: string) => {
    heard.length = 0
    watches.notify({ type, state: 3, path }, null)
    return heard
  }
  return { watches, heard, add, notify }
}

const frameBytesMax = 1_048_575

describe('a notification', () => {
  test.each([
    [NodeCreated, 'NodeCreated', ['data', 'exist', 'persistent', 'recursive']],
    [NodeDataChanged, 'NodeDataChanged', ['data', 'exist', 'persistent', 'recursive']],
    [NodeChildrenChanged, 'NodeChildrenChanged', ['child', 'persistent']],
    [NodeDeleted, 'NodeDeleted', ['data', 'exist', 'child', 'persistent', 'recursive']],
  ])('R50: of type %i is heard by the tables it concerns', (type, name, concerned) => {
    const { watches, add, notify } = noted()
    for (const table of tables) add(table, '/a')

    expect(notify(type, '/a')).toEqual(concerned.map((table) => `${table}: ${name} /a`))
    // One-shot watches are used up, and no others.
    expect(notify(type, '/a')).toEqual(
      concerned.filter((table) => table.length > 5).map((table) => `${table}: ${name} /a`),
    )
    const left = tables.filter((table) => table.length > 5 || !concerned.includes(table))
    expect(watches.size).toBe(left.length)
  })

  test('of an unknown type, or of none, concerns nobody', () => {
    const { watches, add, notify } = noted()
    for (const table of tables) add(table, '/a')
    for (const type of [EventType.None, 0, 5, 4711]) expect(notify(type, '/a')).toEqual([])
    expect(watches.size).toBe(5)
  })

  test('of another path concerns nobody, unless a recursive watch is above it', () => {
    const { add, notify } = noted()
    for (const table of tables) add(table, '/a')
    expect(notify(NodeDeleted, '/b')).toEqual([])
    expect(notify(NodeDeleted, '/ab')).toEqual([])
    expect(notify(NodeDeleted, '/a/b')).toEqual(['recursive: NodeDeleted /a/b'])
  })

  test('is heard by every recursive watch above it, the nearest first, up to the root', () => {
    const { add, notify } = noted()
    for (const path of ['/', '/a', '/a/b', '/a/b/c', '/a/b/c/d']) add('recursive', path, path)
    expect(notify(NodeCreated, '/a/b/c')).toEqual([
      '/a/b/c: NodeCreated /a/b/c',
      '/a/b: NodeCreated /a/b/c',
      '/a: NodeCreated /a/b/c',
      '/: NodeCreated /a/b/c',
    ])
    expect(notify(NodeDataChanged, '/')).toEqual(['/: NodeDataChanged /'])
  })

  // With a recursive watch servers send it for one-shot watches below; it is not the tree's concern.
  test('of changed children is never heard by a recursive watch', () => {
    const { add, notify } = noted()
    add('recursive', '/a')
    add('child', '/a/b')
    expect(notify(NodeChildrenChanged, '/a')).toEqual([])
    expect(notify(NodeChildrenChanged, '/a/b')).toEqual(['child: NodeChildrenChanged /a/b'])
  })

  test('is heard by all watchers of a path, in the order they came', () => {
    const { add, notify } = noted()
    for (const name of ['first', 'second', 'third']) add('data', '/a', name)
    expect(notify(NodeDataChanged, '/a')).toEqual([
      'first: NodeDataChanged /a',
      'second: NodeDataChanged /a',
      'third: NodeDataChanged /a',
    ])
    expect(notify(NodeDataChanged, '/a')).toEqual([])
  })

  test('carries its zxid, where there is one', () => {
    const zxids: (bigint | null)[] = []
    const watches = new Watches((_, { zxid }) => zxids.push(zxid))
    watches.add('persistent', '/a', () => {})
    watches.notify({ type: NodeCreated, state: 3, path: '/a' }, 7n)
    watches.notify({ type: NodeCreated, state: 3, path: '/a' }, null)
    expect(zxids).toEqual([7n, null])
  })
})

describe('Watches', () => {
  test.each(tables)('a removed watcher of %s hears nothing more, the others do', (table) => {
    const { watches, add, notify } = noted()
    const [first, second, third] = ['1', '2', '3'].map((name) => add(table, '/a', name))
    const type = table === 'child' ? NodeChildrenChanged : NodeCreated
    watches.remove(table, '/a', (one) => one === second)
    watches.remove(table, '/a', () => false) // a stranger
    expect(notify(type, '/a').map((text) => text[0])).toEqual(['1', '3'])

    for (const name of ['1', '2']) add(table, '/b', name)
    watches.remove(table, '/a', (one) => one === first)
    watches.remove(table, '/a', (one) => one === third)
    watches.remove(table, '/a', (one) => one === third) // gone already
    expect(watches.isWatched('/a')).toBe(false)
    expect(watches.isWatched('/b')).toBe(true)
    expect(notify(type, '/b').map((text) => text[0])).toEqual(['1', '2'])
  })

  test('of two watchers the one that is left stays', () => {
    const { watches, add, notify } = noted()
    const first = add('persistent', '/a', 'first')
    add('persistent', '/a', 'second')
    watches.remove('persistent', '/a', (one) => one === first)
    expect(notify(NodeCreated, '/a')).toEqual(['second: NodeCreated /a'])
  })

  test('a watch that sets itself again while it fires is set', () => {
    const watches = new Watches((watcher, event) => {
      watcher(event)
    })
    let count = 0
    const again = () => {
      count++
      watches.add('data', '/a', again)
    }
    again()
    watches.notify({ type: NodeDataChanged, state: 3, path: '/a' }, null)
    expect(count).toBe(2)
    expect(watches.size).toBe(1)
  })

  test('the mode of a persistent watch decides where it stands', () => {
    expect(tableOfMode(AddWatchMode.persistent)).toBe('persistent')
    expect(tableOfMode(AddWatchMode['persistent-recursive'])).toBe('recursive')
  })

  test('ending the one-shot watches tells all their watchers, once', () => {
    const { watches, heard, add } = noted()
    for (const table of tables) add(table, '/a')
    add('data', '/a', 'second')
    watches.endOneShots('closed')
    watches.endOneShots('closed')
    expect(heard).toEqual([
      'data: closed /a',
      'second: closed /a',
      'exist: closed /a',
      'child: closed /a',
    ])
  })

  test('can be told for some of the watchers only, even of one path', () => {
    const { watches, heard, add, notify } = noted()
    const ours = new Set([add('data', '/a', 'ours'), add('exist', '/b', 'ours')])
    for (const table of tables) add(table, '/a', 'theirs')
    ours.add(add('persistent', '/a', 'ours'))
    watches.endOneShots('closed', (watcher) => ours.has(watcher as never))
    expect(heard).toEqual(['ours: closed /a', 'ours: closed /b'])
    expect(notify(NodeDataChanged, '/a').sort()).toEqual([
      'ours: NodeDataChanged /a', // persistent watches are ended by whoever iterates
      ...Array<string>(4).fill('theirs: NodeDataChanged /a'),
    ])
    expect(watches.isWatched('/b')).toBe(false)
  })

  test('a successor inherits the persistent watches, all watchers of them, and nothing else', () => {
    const { watches, add, heard } = noted()
    for (const table of tables) add(table, '/a')
    add('persistent', '/a', 'second')
    const successor = new Watches((watcher, event) => {
      watcher(event)
    })
    successor.inherit(watches)
    successor.notify({ type: NodeDeleted, state: 3, path: '/a' }, null)
    expect(heard).toEqual([
      'persistent: NodeDeleted /a',
      'second: NodeDeleted /a',
      'recursive: NodeDeleted /a',
    ])
  })
})

describe('registrations', () => {
  const chunkLengthMax = 128 * 1024

  test('there are none without watches', () => {
    expect(noted().watches.registrations(7n, frameBytesMax)).toEqual([])
  })

  test('each table goes into its own list, each path once', () => {
    const { watches, add } = noted()
    for (const table of tables) {
      add(table, `/${table}`)
      add(table, `/${table}`)
    }
    expect(watches.registrations(7n, frameBytesMax)).toEqual([
      {
        relativeZxid: 7n,
        dataWatches: ['/data'],
        existWatches: ['/exist'],
        childWatches: ['/child'],
        persistentWatches: ['/persistent'],
        persistentRecursiveWatches: ['/recursive'],
      },
    ])
  })

  test('many paths make several chunks, none above 128 Ki characters, and none is left out', () => {
    const { watches, add } = noted()
    const paths = Array.from({ length: 100 }, (_, i) => `/${String(i).padStart(2_999, '0')}`)
    for (const table of tables) for (const path of paths) add(table, path)

    const chunks = watches.registrations(1n, frameBytesMax)
    const lists = chunks.map((chunk) => Object.values(chunk).flat() as string[])
    const lengths = lists.map((list) => list.slice(1).join('').length)
    expect(lengths.length).toBe(Math.ceil(500 / Math.floor(chunkLengthMax / 3_000)))
    expect(Math.max(...lengths)).toBeLessThanOrEqual(chunkLengthMax)
    expect(chunks.flatMap(({ dataWatches }) => dataWatches)).toEqual(paths)
    expect(chunks.flatMap((chunk) => chunk.persistentRecursiveWatches)).toEqual(paths)
  })

  test('a single path above the limit is a chunk of its own', () => {
    const { watches, add } = noted()
    const long = `/${'x'.repeat(chunkLengthMax)}`
    const other = `/${'y'.repeat(chunkLengthMax)}`
    for (const path of [long, '/a', other, '/b']) add('data', path)
    const chunks = watches.registrations(1n, frameBytesMax)
    expect(chunks.map(({ dataWatches }) => dataWatches)).toEqual([[long], ['/a'], [other], ['/b']])
  })

  test('of one path names its one-shot watches alone', () => {
    const { watches, add } = noted()
    for (const table of tables) add(table, '/a')
    add('data', '/b')
    expect(watches.registrationOf('/a', 7n)).toMatchObject({
      relativeZxid: 7n,
      dataWatches: ['/a'],
      existWatches: ['/a'],
      childWatches: ['/a'],
      persistentWatches: [],
      persistentRecursiveWatches: [],
    })
  })
})

test('a resync is told to the watchers of one path and mode alone', () => {
  const { watches, add, heard } = noted()
  for (const table of tables) add(table, '/a')
  add('persistent', '/other')
  watches.resync('persistent', '/a')
  watches.resync('recursive', '/unknown')
  expect(heard).toEqual(['persistent: resync /a'])
})

test('watchers that were taken out are told so', () => {
  const { watches, add, heard } = noted()
  add('data', '/a', 'mine')
  watches.tellRemoved(
    watches.remove('data', '/a', () => true),
    '/a',
  )
  expect(heard).toEqual(['mine: removed /a'])
})
