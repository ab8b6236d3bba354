/**
 * The commands of four letters that administrators and health checks send in place of a handshake.
 *
 * Source: `server/command`.
 */
import { type Link } from './link.ts'
import { type ServerState } from './state.ts'

/** Every command of a real server; those not answered below are said to be switched off. */
const words: ReadonlySet<string> = new Set(
  (
    'conf cons crst dirs dump envi gtmk ruok stmk srvr srst stat ' + 'wchc wchp wchs mntr isro hash'
  ).split(' '),
)

/** The answer, or null if `word` is none and thus the length of a frame. */
export function answerWord(state: ServerState, word: string): string | null {
  const answer = answers[word]
  if (answer !== undefined) return state.isServing ? answer(state) : answerOfIdle(word)
  return words.has(word) ? `${word} is not executed because it is not in the whitelist.\n` : null
}

/** Seen on ZooKeeper 3.9.5 while it looked for a leader. */
function answerOfIdle(word: string): string {
  switch (word) {
    case 'ruok':
      return 'imok'
    case 'isro':
      return 'null'
    default:
      return 'This ZooKeeper instance is not currently serving requests\n'
  }
}

const answers: Readonly<Record<string, (state: ServerState) => string>> = {
  ruok: () => 'imok',
  isro: ({ isReadOnly }) => (isReadOnly ? 'ro' : 'rw'),
  srvr: (state) => linesOf([...buildLines(state), ...summaryLines(state)]),
  stat: (state) => {
    const clients = connectionLines(state, () => '')
    return linesOf([...buildLines(state), 'Clients:', ...clients, '', ...summaryLines(state)])
  },
  cons: (state) => linesOf([...connectionLines(state, sessionFields), '']),
  conf: (state) => linesOf(configLines(state)),
  mntr: (state) => linesOf(figureLines(state)),
  wchs: (state) => linesOf(watchLines(state)),
}

function linesOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

function buildLines({ options }: ServerState): string[] {
  return [`Zookeeper version: ${options.profile.version}`]
}

function summaryLines({ tree, linkOf, lastZxid, role }: ServerState): string[] {
  const links = [...linkOf.values()]
  return [
    'Latency min/avg/max: 0/0.0/0',
    `Received: ${links.reduce((sum, { received }) => sum + received, 0)}`,
    `Sent: ${links.reduce((sum, { sent }) => sum + sent, 0)}`,
    `Connections: ${linkOf.size}`,
    `Outstanding: ${outstandingOf(links)}`,
    `Zxid: 0x${lastZxid.toString(16)}`,
    `Mode: ${role}`,
    `Node count: ${tree.size}`,
  ]
}

function outstandingOf(links: readonly Link[]): number {
  return links.reduce((sum, { outstanding }) => sum + outstanding, 0)
}

function connectionLines(
  state: ServerState,
  moreOf: (link: Link, state: ServerState) => string,
): string[] {
  return [...state.linkOf.values()].map((link) => {
    const { peer, received, sent, outstanding } = link
    return ` /${peer}[1](queued=${outstanding},recved=${received},sent=${sent}${moreOf(link, state)})`
  })
}

function sessionFields({ sessionId, session, establishedMs }: Link, state: ServerState): string {
  const id = BigInt.asUintN(64, sessionId).toString(16)
  const { operation, xid, zxid } = lastOperationOf(sessionId, state)
  const times = `est=${establishedMs},to=${session?.timeoutMs ?? 0},lcxid=0x${xid.toString(16)}`
  const zxidText = BigInt.asUintN(64, zxid).toString(16)
  const latency = 'lresp=0,llat=0,minlat=0,avglat=0,maxlat=0'
  return `,sid=0x${id},lop=${operation},${times},lzxid=0x${zxidText},${latency}`
}

/** Real servers, too, abbreviate an operation to four letters. */
function lastOperationOf(sessionId: bigint, { log }: ServerState) {
  const last = log.entries.findLast((entry) => entry.sessionId === sessionId)
  if (last === undefined) return { operation: 'NA', xid: 0, zxid: -1n }
  return { ...last, operation: last.operation.slice(0, 4).toUpperCase() }
}

function configLines({ options }: ServerState): string[] {
  return [
    `tickTime=${options.tickTimeMs}`,
    'maxClientCnxns=0',
    `minSessionTimeout=${options.sessionTimeoutMsMin}`,
    `maxSessionTimeout=${options.sessionTimeoutMsMax}`,
    `serverId=${options.serverId}`,
  ]
}

function watchLines({ watches }: ServerState): string[] {
  const entries = [...watches.dataEntries, ...watches.childEntries]
  const connections = new Set(entries.map(({ watcher }) => watcher)).size
  const paths = new Set(entries.map(({ path }) => path)).size
  return [`${connections} connections watching ${paths} paths`, `Total watches:${entries.length}`]
}

function figureLines(state: ServerState): string[] {
  const { tree, watches, linkOf, sessions, role, options } = state
  const figures = {
    version: options.profile.version,
    server_state: role,
    num_alive_connections: linkOf.size,
    outstanding_requests: outstandingOf([...linkOf.values()]),
    znode_count: tree.size,
    watch_count: watches.dataEntries.length + watches.childEntries.length,
    global_sessions: sessions.size,
  }
  return Object.entries(figures).map(([name, value]) => `zk_${name}\t${value}`)
}
