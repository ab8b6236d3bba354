/**
 * What servers answer to the words of four letters that a connection may begin with in place of a
 * handshake. Answers are text for people, and have grown over the versions: what is not known is left
 * alone, what is missing is an error.
 *
 * Source: `server/command`, `ServerStats`, `ServerCnxn.getConnectionInfo`; answers of 3.5 and 3.9.
 */
import { ProtocolError, ZooKeeperError } from './errors.ts'

/** The words that {@link parseWord} understands. */
export type FourLetterWord = keyof typeof parsers

/** How a server is, in short. */
export interface ServerReport {
  /** `3.9.5`. */
  readonly version: string
  /** Version, commit and date of the build. */
  readonly build: string
  /** Milliseconds that requests took. */
  readonly latencyMs: { readonly min: number; readonly avg: number; readonly max: number }
  /** Packets. */
  readonly received: number
  /** Packets. */
  readonly sent: number
  readonly connections: number
  /** Requests that wait. */
  readonly outstanding: number
  /** The last change that it knows. */
  readonly zxid: bigint
  /** `standalone`, `leader`, `follower`, `observer` or `read-only`. */
  readonly mode: string
  readonly nodeCount: number
}

/** A connection to a server. */
export interface ConnectionReport {
  /** Of the client: `127.0.0.1:51828`. */
  readonly address: string
  /** Requests that wait. */
  readonly queued: number
  /** Packets. */
  readonly received: number
  /** Packets. */
  readonly sent: number
  /** Null for a connection without one, and in the answer to `stat`. */
  readonly session: SessionReport | null
}

export interface SessionReport {
  readonly id: bigint
  /** An abbreviation, such as `CREA`; `NA` for none. */
  readonly lastOperation: string
  /** Since when it is connected: milliseconds since 1970. */
  readonly establishedMs: number
  readonly timeoutMs: number
  readonly lastZxid: bigint
  readonly latencyMs: {
    readonly last: number
    readonly min: number
    readonly avg: number
    readonly max: number
  }
}

/** How many watches a server has. */
export interface WatchesReport {
  readonly connections: number
  readonly paths: number
  readonly watches: number
}

const parsers = {
  /** Version, mode, counters. The one word that servers answer by default. */
  srvr: parseServer,
  /** The same, with the connections. */
  stat: (text: string) => ({ ...parseServer(text), clients: parseConnections(text) }),
  /** Whether the process runs, which says nothing of its quorum. */
  ruok: (text: string) => text === 'imok' || refuse(text),
  /** Whether it serves writes, too. */
  isro: (text: string) => (text === 'rw' || text === 'ro' ? text : refuse(text)),
  /** The connections. */
  cons: parseConnections,
  /** The configuration, by its keys. */
  conf: (text: string) => pairsOf(text, '='),
  /** Figures for monitoring, by the servers' names for them: `zk_znode_count`. */
  mntr: parseMonitor,
  /** How many watches there are. */
  wchs: parseWatches,
} as const

/** What the answer to a word says. */
export type WordResult<W extends FourLetterWord> = ReturnType<(typeof parsers)[W]>

/**
 * Reads the answer to a word.
 *
 * @throws {ZooKeeperError} `NOT_ALLOWED` if the word is not in the server's whitelist; `NOT_SERVING`;
 * `PROTOCOL_ERROR` if it is no such answer.
 */
export function parseWord<W extends FourLetterWord>(word: W, text: string): WordResult<W> {
  const context = { op: word }
  if (/^\w{4} is not executed because/.test(text)) throw new ZooKeeperError('NOT_ALLOWED', context)
  const isDown = /not currently serving requests/.test(text) || (word === 'isro' && text === 'null')
  if (isDown) throw new ZooKeeperError('NOT_SERVING', context)
  return parsers[word](text) as WordResult<W>
}

function parseServer(text: string): ServerReport {
  const field = (name: string, value: string) => {
    return new RegExp(`^${name}: (${value})`, 'm').exec(text)?.[1] ?? refuse(text)
  }
  const [min, avg, max] = field('Latency min/avg/max', '[^/\\n]+/[^/\\n]+/[^/\\n]+').split('/')
  const build = field('Zookeeper version', '.+')
  return {
    version: /^[\d.]*\d/.exec(build)?.[0] ?? build,
    build,
    latencyMs: { min: Number(min), avg: Number(avg), max: Number(max) },
    received: Number(field('Received', '\\d+')),
    sent: Number(field('Sent', '\\d+')),
    connections: Number(field('Connections', '\\d+')),
    outstanding: Number(field('Outstanding', '\\d+')),
    zxid: BigInt(field('Zxid', '0x[\\da-f]+')),
    mode: field('Mode', '.+'),
    nodeCount: Number(field('Node count', '\\d+')),
  }
}

/** Lines like ` /127.0.0.1:51828[1](queued=0,recved=4,sent=4,sid=0x1…)` among others. */
function parseConnections(text: string): ConnectionReport[] {
  const lines = text.matchAll(/^ [^/\n]*\/(.+)\[[\da-f]+\]\((.*)\)$/gm)
  return [...lines].map(([, address = '', fields = '']) => {
    const values = pairsOf(fields.replaceAll(',', '\n'), '=')
    const number = (name: string) => Number(values.get(name) ?? 0)
    return {
      address,
      queued: number('queued'),
      received: number('recved'),
      sent: number('sent'),
      session: values.has('sid') ? parseSession(values, number) : null,
    }
  })
}

function parseSession(
  values: ReadonlyMap<string, string>,
  number: (name: string) => number,
): SessionReport {
  return {
    id: signedHex(values.get('sid')),
    lastOperation: values.get('lop') ?? 'NA',
    establishedMs: number('est'),
    timeoutMs: number('to'),
    lastZxid: signedHex(values.get('lzxid')),
    latencyMs: {
      last: number('llat'),
      min: number('minlat'),
      avg: number('avglat'),
      max: number('maxlat'),
    },
  }
}

/** Java prints a negative number by its 64 bits. */
function signedHex(text = '0x0'): bigint {
  return BigInt.asIntN(64, BigInt(/^0x[\da-f]+$/.test(text) ? text : refuse(text)))
}

function parseMonitor(text: string): ReadonlyMap<string, number | string> {
  const figures = new Map<string, number | string>()
  for (const [name, value] of pairsOf(text, '\t')) {
    figures.set(name, /^-?\d+(\.\d+)?(E-?\d+)?$/.test(value) ? Number(value) : value)
  }
  return figures.size === 0 ? refuse(text) : figures
}

function parseWatches(text: string): WatchesReport {
  const pattern = /^(\d+) connections watching (\d+) paths\s+Total watches:\s*(\d+)/
  const [, connections, paths, watches] = pattern.exec(text) ?? refuse(text)
  return { connections: Number(connections), paths: Number(paths), watches: Number(watches) }
}

/** The lines that have a name, a separator and a value. */
function pairsOf(text: string, separator: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf(separator)
    if (at > 0) pairs.set(line.slice(0, at), line.slice(at + separator.length))
  }
  return pairs
}

function refuse(text: string): never {
  const excerpt = text.length > 60 ? `${text.slice(0, 60)}…` : text
  throw new ProtocolError(`the peer answers "${excerpt}"`)
}
