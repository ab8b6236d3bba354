/**
 * Who makes up an ensemble, as `/zookeeper/config` says it, and what a `reconfig` makes of that.
 *
 * Source: `PrepRequestProcessor` (case reconfig), `QuorumMaj`, `QuorumServer`.
 */
import {
  type EnsembleConfig,
  type EnsembleMember,
  formatHost,
  type Host,
  parseEnsembleConfig,
  type records,
} from '../protocol/index.ts'
import { refuse } from './refusal.ts'

/** Who can become what votes. */
export interface Electorate {
  /** Whether a majority of these servers is connected, and knows what the leader knows. */
  hasQuorumOf(ids: readonly number[]): boolean
}

const anyVersion = -1n
/** A lone server is none of an ensemble. */
const participantsMin = 2

/** Throws what a leader answers if that cannot be. */
export function membersAfter(
  { members, version }: EnsembleConfig,
  request: records.ReconfigRequest,
): readonly EnsembleMember[] {
  const { joiningServers, leavingServers, newMembers, curConfigId } = request
  if (curConfigId !== anyVersion && curConfigId !== version) refuse('BAD_VERSION')
  const next =
    newMembers === null
      ? changed(members, partsOf(joiningServers), partsOf(leavingServers))
      : parsed(newMembers.replaceAll(',', '\n'))
  const participants = next.filter(({ role }) => role === 'participant')
  return participants.length < participantsMin ? refuse('BAD_ARGUMENTS') : next
}

/** What stands in the znode. */
export function configTextOf(members: readonly EnsembleMember[], version: bigint): string {
  const lines = [...members].sort((a, b) => a.id - b.id).map(lineOf)
  return [...lines, `version=${version.toString(16)}`].join('\n')
}

function changed(
  members: readonly EnsembleMember[],
  joining: readonly string[],
  leaving: readonly string[],
): readonly EnsembleMember[] {
  const byId = new Map(members.map((member) => [member.id, member]))
  for (const id of leaving) byId.delete(/^\d+$/.test(id) ? Number(id) : refuse('MARSHALLING_ERROR'))
  for (const line of joining) {
    const [member = refuse('BAD_ARGUMENTS')] = parsed(line)
    if (member.client === null && member.secureClient === null) refuse('BAD_ARGUMENTS')
    byId.set(member.id, member)
  }
  return [...byId.values()]
}

function parsed(text: string): readonly EnsembleMember[] {
  try {
    return parseEnsembleConfig(text).members
  } catch {
    return refuse('BAD_ARGUMENTS')
  }
}

function partsOf(list: string | null): readonly string[] {
  return (list ?? '').split(',').flatMap((part) => part.trim() || [])
}

function lineOf({ id, role, addresses, client, secureClient }: EnsembleMember): string {
  const peers = addresses.map(({ name, quorumPort, electionPort }) => {
    return `${formatHost({ name, port: quorumPort })}:${electionPort}`
  })
  const textOf = (host: Host | null) => (host === null ? '' : formatHost(host))
  const ends = [textOf(client), textOf(secureClient)].join(';').replace(/;+$/, '')
  return `server.${id}=${peers.join('|')}:${role}${ends === '' ? '' : `;${ends}`}`
}
