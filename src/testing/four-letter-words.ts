/**
 * The commands of four letters that administrators and health checks send in place of a handshake.
 *
 * Source: `server/command`; answers of 3.5 to 3.9.
 */
import { averageLatency, connectionCount, figuresOf, outstandingOf, znodeCount } from './figures.ts'
import { type Link } from './link.ts'
import { configText, environmentLines } from './server-config.ts'
import { sessionDump } from './session-dump.ts'
import { type ServerState } from './state.ts'
import { watchesByPath, watchesBySession, watchSummary } from './watch-report.ts'
import { hexOf, linesOf } from './word-text.ts'

/** The answer, or null if `word` is none and thus the length of a frame. `asker` sent it. */
export function answerWord(state: ServerState, word: string, asker: Link): string | null {
  const answer = answers[word]
  if (answer === undefined) return null
  return state.isServing || always.has(word) ? answer(state, asker) : answerOfIdle(word)
}

/** Seen on ZooKeeper 3.9.5 while it looked for a leader. */
function answerOfIdle(word: string): string {
  if (word === 'isro') return 'null'
  const answer = 'This ZooKeeper instance is not currently serving requests'
  return word === 'hash' ? answer : `${answer}\n`
}

/** What takes no part in an ensemble. */
const always: ReadonlySet<string> = new Set(['ruok', 'envi', 'gtmk', 'stmk'])

const answers: Readonly<Record<string, (state: ServerState, asker: Link) => string>> = {
  ruok: () => 'imok',
  isro: ({ isReadOnly }) => (isReadOnly ? 'ro' : 'rw'),
  srvr: (state) => linesOf([...buildLines(state), ...summaryLines(state)]),
  stat: (state, asker) => {
    const clients = connectionLines(state, asker, () => '')
    return linesOf([...buildLines(state), 'Clients:', ...clients, '', ...summaryLines(state)])
  },
  cons: (state, asker) => linesOf([...connectionLines(state, asker, sessionFields), '']),
  conf: configText,
  envi: (state) => linesOf(environmentLines(state)),
  dirs: () => linesOf(['datadir_size: 0', 'logdir_size: 0']),
  mntr: (state) => {
    const figures = Object.entries(figuresOf(state))
    return linesOf(figures.map(([name, value]) => `zk_${name}\t${value}`))
  },
  dump: sessionDump,
  wchs: watchSummary,
  wchc: watchesBySession,
  wchp: watchesByPath,
  crst: ({ linkOf }) => {
    for (const link of linkOf.values()) link.received = link.sent = 0
    return linesOf(['Connection stats reset.'])
  },
  srst: ({ packets }) => {
    packets.received = packets.sent = 0
    return linesOf(['Server stats reset.'])
  },
  gtmk: () => '306', // what a server logs by default
  hash: () => '', // of every 128th transaction: it keeps none
  stmk: () => 'stmk is not executed because it is not in the whitelist.\n',
}

function buildLines({ options }: ServerState): string[] {
  return [`Zookeeper version: ${options.profile.version}`]
}

function summaryLines(state: ServerState): string[] {
  const { packets, linkOf, lastZxid, role } = state
  return [
    `Latency min/avg/max: 0/${averageLatency(state)}/0`,
    `Received: ${packets.received}`,
    `Sent: ${packets.sent}`,
    `Connections: ${connectionCount(state)}`,
    `Outstanding: ${outstandingOf(linkOf.values())}`,
    `Zxid: 0x${lastZxid.toString(16)}`,
    `Mode: ${role}`,
    `Node count: ${znodeCount(state)}`,
    ...(role === 'leader' ? ['Proposal sizes last/min/max: -1/-1/-1'] : []),
  ]
}

function connectionLines(
  state: ServerState,
  asker: Link,
  moreOf: (link: Link, state: ServerState) => string,
): string[] {
  const lines = [...state.linkOf.values()].map((link) => {
    const { peer, received, sent, outstanding } = link
    return ` /${peer}[1](queued=${outstanding},recved=${received},sent=${sent}${moreOf(link, state)})`
  })
  return [...lines, ` /${asker.peer}[0](queued=0,recved=1,sent=0)`]
}

function sessionFields({ sessionId, session, establishedMs }: Link, state: ServerState): string {
  const { operation, xid, zxid } = lastOperationOf(sessionId, state)
  const times = `est=${establishedMs},to=${session?.timeoutMs ?? 0},lcxid=0x${xid.toString(16)}`
  const latency = 'lresp=0,llat=0,minlat=0,avglat=0,maxlat=0'
  return `,sid=${hexOf(sessionId)},lop=${operation},${times},lzxid=${hexOf(zxid)},${latency}`
}

/** Real servers, too, abbreviate an operation to four letters. */
function lastOperationOf(sessionId: bigint, { log }: ServerState) {
  const last = log.entries.findLast((entry) => entry.sessionId === sessionId)
  if (last === undefined) return { operation: 'NA', xid: 0, zxid: -1n }
  return { ...last, operation: last.operation.slice(0, 4).toUpperCase() }
}
