/**
 * Who watches what, as `wchs`, `wchc` and `wchp` tell it: the watches on znodes, not those on children.
 * Those of one connection on one path count once, whatever their modes.
 *
 * Source: `WatchManager.dumpWatches`, `WatchesReport`, `WatchesPathReport`.
 */
import { type ServerState } from './state.ts'
import { type WatchEntry } from './watches.ts'
import { hexOf, linesOf } from './word-text.ts'

export function watchSummary({ watches }: ServerState): string {
  const pairs = pairsOf(watches.dataEntries)
  const connections = new Set(pairs.map(({ watcher }) => watcher)).size
  const paths = new Set(pairs.map(({ path }) => path)).size
  return linesOf([
    `${connections} connections watching ${paths} paths`,
    `Total watches:${pairs.length}`,
  ])
}

export function watchesBySession({ watches }: ServerState): string {
  const pairs = pairsOf(watches.dataEntries)
  return grouped(pairs.map(({ path, watcher }) => [hexOf(watcher.sessionId), path]))
}

export function watchesByPath({ watches }: ServerState): string {
  const pairs = pairsOf(watches.dataEntries)
  return grouped(pairs.map(({ path, watcher }) => [path, hexOf(watcher.sessionId)]))
}

/** Those on children, too. */
export function watchCountOf({ watches }: ServerState): number {
  return pairsOf(watches.dataEntries).length + pairsOf(watches.childEntries).length
}

/** Without modes: those of a connection on a path stand next to each other. */
function pairsOf(entries: readonly WatchEntry[]): WatchEntry[] {
  return entries.filter(({ path, watcher }, i) => {
    const before = entries[i - 1]
    return before?.path !== path || before.watcher !== watcher
  })
}

/** Each first one once, and below it those that go with it. */
function grouped(pairs: readonly (readonly [string, string])[]): string {
  const groups = new Map<string, string[]>()
  for (const [title, item] of pairs) groups.set(title, [...(groups.get(title) ?? []), item])
  const lines = [...groups].flatMap(([title, items]) => [title, ...items.map((one) => `\t${one}`)])
  return linesOf([...lines, ''])
}
