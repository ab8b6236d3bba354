/**
 * What `/zookeeper/config` says: which servers make up the ensemble.
 *
 * Source: `QuorumMaj`, `QuorumPeer.QuorumServer`, `zookeeperReconfig.md`.
 */
import { type Host } from './connect-string.ts'
import { ProtocolError } from './errors.ts'

/** Where the configuration stands, whatever the chroot. */
export const configPath = '/zookeeper/config'

/** One server of an ensemble. */
export interface EnsembleMember {
  readonly id: number
  /** Observers have no vote. */
  readonly role: 'participant' | 'observer'
  /** Where other members reach it: mostly one. */
  readonly addresses: readonly MemberAddress[]
  /** Where clients reach it; null where the server's own configuration says it. The name may be a
   * wildcard, such as `0.0.0.0`. */
  readonly client: Host | null
  /** The same with TLS. */
  readonly secureClient: Host | null
}

export interface MemberAddress {
  readonly name: string
  readonly quorumPort: number
  readonly electionPort: number
}

export interface EnsembleConfig {
  /** Empty on a standalone server. */
  readonly members: readonly EnsembleMember[]
  /** The zxid of the reconfiguration that made it; 0n if there is none. */
  readonly version: bigint
}

/**
 * @example
 * parseEnsembleConfig('server.1=zk1:2888:3888:participant;0.0.0.0:2181\nversion=100000000')
 * @throws {ProtocolError} if a `server.` or `version` line cannot be understood. Others are skipped.
 */
export function parseEnsembleConfig(text: string): EnsembleConfig {
  const members: EnsembleMember[] = []
  let version = 0n
  for (const padded of text.split('\n')) {
    const line = padded.trim()
    const server = /^server\.(\d+)=(.*)$/.exec(line)
    if (server !== null) members.push(parseMember(line, Number(server[1]), server[2]!))
    const hex = /^version=([\da-f]{1,16})$/i.exec(line)?.[1]
    if (hex !== undefined) version = BigInt(`0x${hex}`)
    else if (line.startsWith('version=')) refuse(line)
  }
  return { members, version }
}

/** `host:2888:3888[:role][|…][;[client:]2181[;[secure:]2281]]`, also with the role at the end. */
function parseMember(line: string, id: number, text: string): EnsembleMember {
  const [quorum = '', client = '', secureClient = ''] = text.split(';')
  const role = /:(participant|observer)$/i.exec(quorum)?.[1]?.toLowerCase() ?? 'participant'
  const addresses = quorum.replace(/:(participant|observer)$/i, '')
  return {
    id,
    role: role === 'observer' ? 'observer' : 'participant',
    addresses: addresses.split('|').map((address) => parseAddress(line, address)),
    client: parseClient(line, client),
    secureClient: parseClient(line, secureClient),
  }
}

function parseAddress(line: string, text: string): MemberAddress {
  const match = /^(.+):(\d+):(\d+)$/.exec(text) ?? refuse(line)
  return {
    name: withoutBrackets(match[1]!),
    quorumPort: Number(match[2]),
    electionPort: Number(match[3]),
  }
}

/** A port alone means all addresses. */
function parseClient(line: string, text: string): Host | null {
  if (text === '') return null
  const match = /^(?:(.+):)?(\d+)$/.exec(text) ?? refuse(line)
  return { name: withoutBrackets(match[1] ?? '0.0.0.0'), port: Number(match[2]) }
}

function withoutBrackets(name: string): string {
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
}

function refuse(line: string): never {
  throw new ProtocolError(`the configuration of the ensemble has the line "${line}"`)
}
