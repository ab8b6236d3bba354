/**
 * Who makes up an ensemble, as `/zookeeper/config` says it, and what a `reconfig` makes of that.
 *
 * Source: `PrepRequestProcessor` (case reconfig), `QuorumMaj`, `QuorumPeerConfig.parseDynamicConfig`.
 */
import {
  type EnsembleConfig,
  type EnsembleMember,
  formatHost,
  type Host,
  type records,
} from '../protocol/index.ts'
import { refuse } from './refusal.ts'
import { areInConflict, idOf, itemsOf, joinerOf, membersOf } from './server-lines.ts'

/** What the leader of an ensemble knows when it is asked for a `reconfig`. */
export interface Electorate {
  /** Whether another one has been decided, and has not happened yet. */
  isReconfiguring(): boolean
  /** Whether a majority of these servers is connected. */
  hasQuorumOf(ids: readonly number[]): boolean
}

const anyVersion = -1n
/** A lone server is none of an ensemble, unless `standaloneEnabled=false`. */
const participantsMin = 2

/** Throws what a leader answers if that cannot be. */
export function membersAfter(
  { members, version }: EnsembleConfig,
  { joiningServers, leavingServers, newMembers, curConfigId }: records.ReconfigRequest,
): readonly EnsembleMember[] {
  if (curConfigId !== anyVersion && curConfigId !== version) refuse('BAD_VERSION')
  const next =
    newMembers === null
      ? changed(members, itemsOf(joiningServers ?? '', ','), itemsOf(leavingServers ?? '', ','))
      : replaced(newMembers)
  return participantsOf(next).length < participantsMin ? refuse('BAD_ARGUMENTS') : next
}

function changed(
  members: readonly EnsembleMember[],
  joining: readonly string[],
  leaving: readonly string[],
): readonly EnsembleMember[] {
  const byId = new Map(members.map((member) => [member.id, member]))
  for (const id of leaving) byId.delete(idOf(id))
  for (const line of joining) {
    const joiner = joinerOf(line)
    byId.delete(joiner.id)
    if ([...byId.values()].some((one) => areInConflict(one, joiner))) refuse('BAD_ARGUMENTS')
    byId.set(joiner.id, joiner)
  }
  return [...byId.values()]
}

/** Nobody looks whether two of them share an address. Observers need somebody to observe. */
function replaced(text: string): readonly EnsembleMember[] {
  const members = membersOf(text.replaceAll(',', '\n'))
  const participants = participantsOf(members)
  const hasObservers = participants.length < members.length
  if (hasObservers && participants.length < participantsMin) refuse('MARSHALLING_ERROR')
  return members
}

export function participantsOf(members: readonly EnsembleMember[]): readonly EnsembleMember[] {
  return members.filter(({ role }) => role === 'participant')
}

/** What stands in the znode. */
export function configTextOf(members: readonly EnsembleMember[], version: bigint): string {
  const lines = [...members].sort((a, b) => a.id - b.id).map(lineOf)
  return [...lines, `version=${version.toString(16)}`].join('\n')
}

function lineOf({ id, role, addresses, client, secureClient }: EnsembleMember): string {
  const peers = addresses.map(({ name, quorumPort, electionPort }) => {
    return `${formatHost({ name, port: quorumPort })}:${electionPort}`
  })
  const textOf = (host: Host | null) => (host === null ? '' : formatHost(host))
  const ends = [textOf(client), textOf(secureClient)].join(';').replace(/;+$/, '')
  return `server.${id}=${peers.join('|')}:${role}${ends === '' ? '' : `;${ends}`}`
}
