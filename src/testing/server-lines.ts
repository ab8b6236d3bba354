/**
 * `server.4=zk4:2888:3888:participant;2181`, as a leader reads it in a `reconfig`: more strictly than a
 * client reads the configuration, and with a code for each fault.
 *
 * Source: `QuorumPeer.QuorumServer`, `ConfigUtils.getHostAndPort`, `QuorumMaj`, `QuorumPeerConfig`.
 */
import { type EnsembleMember, formatHost, type Host } from '../protocol/index.ts'
import { refuse } from './refusal.ts'

/** Items of a list between separators: padding and empty ones do not count. */
export function itemsOf(list: string, separator: string): readonly string[] {
  return list.split(separator).flatMap((item) => item.trim() || [])
}

/** One that joins. Whatever stands before the last point of its name, is not looked at. */
export function joinerOf(line: string): EnsembleMember {
  const [name = '', text = '', ...more] = itemsOf(line, '=')
  if (text === '' || more.length > 0) refuse('BAD_ARGUMENTS')
  const member = memberOf(idOf(name.slice(name.lastIndexOf('.') + 1)), text)
  if (member.client === null && member.secureClient === null) refuse('BAD_ARGUMENTS')
  return member
}

/** A whole configuration, which Java reads as properties: of a key that comes twice, the last one counts. */
export function membersOf(text: string): readonly EnsembleMember[] {
  const byKey = new Map(text.split(/[\r\n]+/).flatMap(propertyOf))
  const version = byKey.get('version') ?? '0'
  byKey.delete('version')
  // Groups and weights, which servers know, there are none here.
  if ([...byKey.keys()].some((key) => !key.startsWith('server.'))) refuse('BAD_ARGUMENTS')
  if (!/^[+-]?[\da-f]{1,16}$/i.test(version)) refuse('MARSHALLING_ERROR')
  return [...byKey].map(([key, value]) => memberOf(idOf(key.slice('server.'.length)), value))
}

/** None of an empty line and of a remark. */
function propertyOf(line: string): readonly (readonly [key: string, value: string])[] {
  const [, key = '', value = ''] = /^\s*([^=:\s]*)\s*[=:]?\s*(.*)$/s.exec(line) ?? []
  return /^[#!]|^$/.test(key) ? [] : [[key, value]]
}

export function idOf(text: string): number {
  return /^[+-]?\d+$/.test(text) ? Number(text) : refuse('MARSHALLING_ERROR')
}

/** Servers up to 3.9 know nothing behind the address for clients; later ones have one with TLS there. */
function memberOf(id: number, text: string): EnsembleMember {
  const [server = '', client = '', secureClient = '', ...more] = partsOf(text, ';')
  if (more.length > 0) refuse('BAD_ARGUMENTS')
  const ends = { client: clientOf(client), secureClient: clientOf(secureClient) }
  const [name = '', quorum = '', election = '', role, ...rest] = hostParts(server)
  // Several addresses of one member have to be allowed, which they seldom are.
  if (server.includes('|') || election === '' || rest.length > 0) refuse('BAD_ARGUMENTS')
  const address = { name, quorumPort: portOf(quorum), electionPort: portOf(election) }
  if (address.quorumPort === address.electionPort) refuse('BAD_ARGUMENTS')
  return { id, role: roleOf(role), addresses: [address], ...ends }
}

/** A port alone means all addresses. */
function clientOf(text: string): Host | null {
  if (text === '') return null
  const parts = hostParts(text)
  if (parts.length > 2) refuse('BAD_ARGUMENTS')
  return { name: parts.length === 2 ? parts[0]! : '0.0.0.0', port: portOf(parts.at(-1)!) }
}

function roleOf(text = 'participant'): EnsembleMember['role'] {
  const role = text.trim().toLowerCase()
  return role === 'participant' || role === 'observer' ? role : refuse('BAD_ARGUMENTS')
}

/** Numbers that no port has are noticed elsewhere than words, and answered otherwise. */
function portOf(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) refuse('BAD_ARGUMENTS')
  const port = Number(text)
  return port >= 0 && port <= 0xffff ? port : refuse('MARSHALLING_ERROR')
}

/** What stands between colons, but for those in brackets. */
function hostParts(text: string): readonly string[] {
  if (!text.startsWith('[')) return partsOf(text, ':')
  const end = text.indexOf(']')
  const rest = text.slice(end + 2)
  return end < 0 || rest === ''
    ? refuse('BAD_ARGUMENTS')
    : [text.slice(1, end), ...partsOf(rest, ':')]
}

/** As Java splits: what is empty at the end, is left out. */
function partsOf(text: string, separator: string): readonly string[] {
  const parts = text.split(separator)
  const last = parts.findLastIndex((part) => part !== '')
  return parts.slice(0, Math.max(1, last + 1))
}

/** Whether both would listen at one address and port. Those of this machine count for nothing. */
export function areInConflict(one: EnsembleMember, other: EnsembleMember): boolean {
  const taken = new Set(endpointsOf(one))
  return endpointsOf(other).some((endpoint) => taken.has(endpoint))
}

function endpointsOf({ addresses, client, secureClient }: EnsembleMember): readonly string[] {
  const internal = addresses.flatMap(({ name, quorumPort, electionPort }) => [
    { name, port: quorumPort },
    { name, port: electionPort },
  ])
  const all = [...internal, client, secureClient].flatMap((host) => host ?? [])
  return all.filter(({ name }) => !isOfThisMachine(name)).map(formatHost)
}

/** Wildcards, and addresses that lead back. Names are not resolved: each is one address. */
function isOfThisMachine(name: string): boolean {
  return /^(127\.[\d.]+|localhost|0\.0\.0\.0|::1?)$/i.test(name)
}
