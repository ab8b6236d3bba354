import { ZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { type Stat } from '../protocol/records.ts'
import { readIfThere } from './if-there.ts'
import { type CallOptions } from './options.ts'
import { type ChildrenResult } from './results.ts'
import { type View } from './view.ts'
import { nothing } from './shapes.ts'

/** A znode that a walk has come by. */
export interface WalkEntry {
  readonly path: string
  readonly stat: Stat
}

export interface WalkOptions extends CallOptions {
  /** Requests on their way at a time. Default 64. */
  readonly concurrency?: number
}

/** The znodes from `path` down, level by level; each request gets the options of its moment. */
export async function* walk(
  view: View,
  root: string,
  limits: () => CallOptions,
  concurrency = 64,
): AsyncGenerator<WalkEntry, undefined> {
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new ZooKeeperError('BAD_ARGUMENTS', { op: 'walk', detail: 'concurrency is no count' })
  }
  let level = [root]
  while (level.length > 0) {
    const below: string[] = []
    const ask = (path: string) =>
      readIfThere<ChildrenResult>(view, operations.getChildren2, path, limits())
    for await (const { path, found } of inOrder(level, ask, concurrency)) {
      if (found === null) continue
      const prefix = path === '/' ? '/' : `${path}/`
      for (const name of [...found.children].sort()) below.push(prefix + name)
      yield { path, stat: found.stat }
    }
    level = below
  }
  return undefined
}

/** Asks about each path, a window of them ahead, and hands the answers out in order. */
async function* inOrder<T>(
  paths: readonly string[],
  ask: (path: string) => Promise<T>,
  ahead: number,
): AsyncGenerator<{ readonly path: string; readonly found: T }, undefined> {
  const asked: Promise<T>[] = []
  let next = 0
  for (const path of paths) {
    while (next < paths.length && asked.length < ahead) {
      const answer = ask(paths[next++]!)
      answer.catch(nothing) // it is awaited in its turn, or nobody wants it any more
      asked.push(answer)
    }
    yield { path, found: await asked.shift()! }
  }
  return undefined
}
