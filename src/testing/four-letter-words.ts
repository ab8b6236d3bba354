/**
 * The commands of four letters that administrators and health checks send in place of a handshake.
 *
 * Source: `server/command`.
 */
import { type ServerState } from './state.ts'

/** What `srvr` claims to be: the version whose behaviour this server has. */
const version = '3.9.4-zoowire'

/** Every command of a real server; those not answered below are said to be switched off. */
const words: ReadonlySet<string> = new Set(
  (
    'conf cons crst dirs dump envi gtmk ruok stmk srvr srst stat ' + 'wchc wchp wchs mntr isro hash'
  ).split(' '),
)

/** The answer, or null if `word` is none and thus the length of a frame. */
export function answerWord(state: ServerState, word: string): string | null {
  switch (word) {
    case 'ruok':
      return 'imok'
    case 'isro':
      return 'rw'
    case 'srvr':
      return `${srvr(state).join('\n')}\n`
    case 'mntr':
      return `${mntr(state).join('\n')}\n`
    default:
      return words.has(word)
        ? `${word} is not executed because it is not in the whitelist.\n`
        : null
  }
}

function srvr({ tree, linkOf, lastZxid }: ServerState): string[] {
  return [
    `Zookeeper version: ${version}`,
    'Latency min/avg/max: 0/0.0/0',
    `Connections: ${linkOf.size}`,
    'Outstanding: 0',
    `Zxid: 0x${lastZxid.toString(16)}`,
    'Mode: standalone',
    `Node count: ${tree.size}`,
  ]
}

function mntr({ tree, watches, linkOf, sessions }: ServerState): string[] {
  const figures = {
    version,
    server_state: 'standalone',
    num_alive_connections: linkOf.size,
    outstanding_requests: 0,
    znode_count: tree.size,
    watch_count: watches.dataEntries.length + watches.childEntries.length,
    global_sessions: sessions.size,
  }
  return Object.entries(figures).map(([name, value]) => `zk_${name}\t${value}`)
}
