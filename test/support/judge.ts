import { type WatchEvent } from '../../src/index.ts'
import { type LoadReport } from './load.ts'
import { type LoggedTransaction } from './transaction-log.ts'

export interface Verdict {
  /** Sentences, one for each untruth. None is what a test wants. */
  readonly untruths: readonly string[]
  readonly applied: number
  readonly notApplied: number
  /** Of the writes that were told as unknown, those that the log has, and those that it has not. */
  readonly unknown: { readonly applied: number; readonly notApplied: number }
}

/** Compares what a client was told with what the servers have written down. */
export function judge(report: LoadReport, history: readonly LoggedTransaction[]): Verdict {
  const done = writesOf(report.sessionId, history)
  const unknown = report.writes.filter(({ outcome }) => outcome === 'unknown')
  const found = unknown.filter(({ token }) => done.has(token)).length
  return {
    untruths: [
      ...falseOutcomes(report, done),
      ...repeated(done),
      ...outOfOrder(done),
      ...inventedAnswers(report, history),
      ...pastReads(report),
      ...watchesNotCalledOnce(report),
    ],
    applied: report.writes.filter(({ outcome }) => outcome === 'applied').length,
    notApplied: report.writes.filter(({ outcome }) => outcome === 'not-applied').length,
    unknown: { applied: found, notApplied: unknown.length - found },
  }
}

/**
 * What a recursive watch of `root` failed to tell, but for what its resyncs cover: what it told up
 * to one, or from one to the next, must be an unbroken part of the history. It was set before anything
 * happened there, and the last change of all must have been told.
 */
export function untoldEvents(
  events: readonly WatchEvent[],
  history: readonly LoggedTransaction[],
  root: string,
): string[] {
  const happened = eventsBelow(root, history)
  const stretches = splitAtResyncs(events)
  let next = 0
  return stretches.flatMap((stretch, i) => {
    const isLast = i === stretches.length - 1
    const first = isLast ? Math.max(next, happened.length - stretch.length) : next
    const last = i === 0 ? 0 : happened.length - stretch.length
    const start = placeOf(stretch, happened, first, last)
    if (start === null) return [breakIn(stretch, happened.slice(first), i)]
    next = start + stretch.length
    return []
  })
}

/** How often, and in which order, the writes of a session were done. */
function writesOf(
  sessionId: bigint,
  history: readonly LoggedTransaction[],
): ReadonlyMap<string, readonly LoggedTransaction[]> {
  const done = new Map<string, LoggedTransaction[]>()
  for (const transaction of history) {
    const token = transaction.changes[0]?.data
    if (transaction.sessionId !== sessionId || !isToken(token)) continue
    done.set(token, [...(done.get(token) ?? []), transaction])
  }
  return done
}

function isToken(data: string | null | undefined): data is string {
  return typeof data === 'string' && /^\d{8}$/.test(data)
}

function falseOutcomes({ writes }: LoadReport, done: ReadonlyMap<string, unknown>): string[] {
  return writes
    .filter(
      ({ token, outcome }) => outcome !== 'unknown' && done.has(token) !== (outcome === 'applied'),
    )
    .map(({ token, outcome, code }) => `${token} was told as ${outcome} (${code})`)
}

function repeated(done: ReadonlyMap<string, readonly unknown[]>): string[] {
  return [...done]
    .filter(([, transactions]) => transactions.length > 1)
    .map(([token, transactions]) => `${token} was done ${transactions.length} times`)
}

/** Tokens rise with the calls, so they must rise with the history. */
function outOfOrder(done: ReadonlyMap<string, unknown>): string[] {
  const tokens = [...done.keys()]
  return tokens
    .filter((token, i) => token < (tokens[i - 1] ?? ''))
    .map((token) => `${token} was done after a write that was called later`)
}

function inventedAnswers({ reads }: LoadReport, history: readonly LoggedTransaction[]): string[] {
  const byZxid = new Map(history.map((transaction) => [transaction.zxid, transaction]))
  return reads.answers
    .filter(({ token, mzxid }) => !byZxid.get(mzxid)?.changes.some(({ data }) => data === token))
    .map(({ token, mzxid }) => `a read said ${token} of zxid ${mzxid}`)
}

function pastReads({ reads }: LoadReport): string[] {
  return reads.stale === 0 ? [] : [`${reads.stale} answers were older than one before them`]
}

function watchesNotCalledOnce({ watches }: LoadReport): string[] {
  return watches.calls.flatMap((count, calls) =>
    calls === 1 || count === 0 ? [] : [`${count} one-shot watches were called ${calls} times`],
  )
}

const eventTypes = {
  create: 'NodeCreated',
  delete: 'NodeDeleted',
  setData: 'NodeDataChanged',
} as const

function eventsBelow(root: string, history: readonly LoggedTransaction[]): WatchEvent[] {
  return history.flatMap(({ zxid, changes }) =>
    changes.flatMap(({ type, path }) =>
      type === 'setACL' || !path.startsWith(`${root}/`)
        ? []
        : [{ type: eventTypes[type], path, zxid }],
    ),
  )
}

function splitAtResyncs(events: readonly WatchEvent[]): WatchEvent[][] {
  const stretches: WatchEvent[][] = [[]]
  for (const event of events) {
    if (event.type === 'resync') stretches.push([])
    else stretches.at(-1)!.push(event)
  }
  return stretches
}

/** Where in `happened`, from `first` to `last`, all of `stretch` stands; null if nowhere. */
function placeOf(
  stretch: readonly WatchEvent[],
  happened: readonly WatchEvent[],
  first: number,
  last: number,
): number | null {
  for (let start = first; start <= last; start++) {
    if (stretch.every((event, i) => isSame(event, happened[start + i]))) return start
  }
  return null
}

/** Servers before 3.9 do not say the zxid. */
function isSame(told: WatchEvent, happened: WatchEvent | undefined): boolean {
  if (told.type !== happened?.type || told.path !== happened.path) return false
  return told.zxid === null || told.zxid === happened.zxid
}

function breakIn(
  stretch: readonly WatchEvent[],
  happened: readonly WatchEvent[],
  resyncs: number,
): string {
  const at = stretch.findIndex((event, i) => !isSame(event, happened[i]))
  const told = `event ${at + 1} of ${stretch.length} after ${resyncs} resyncs: ${inWords(stretch[at])}`
  return `${told}, where ${inWords(happened[at])} happened`
}

function inWords(event: WatchEvent | undefined): string {
  return event === undefined ? 'nothing' : `${event.type} ${event.path} ${String(event.zxid)}`
}
