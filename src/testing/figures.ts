/**
 * The figures that `mntr` tells: those that every version has, and of the hundreds since 3.6 those that
 * say how a server and its ensemble are. Nobody measures latencies and proposals here, or has files.
 *
 * Source: `MonitorCommand`, `ZooKeeperServer.registerMetrics`, `Leader`; answers of 3.5 to 3.9.
 */
import { configPath } from '../protocol/ensemble-config.ts'
import { parseEnsembleConfig } from '../protocol/index.ts'
import { type Link } from './link.ts'
import { type ServerState } from './state.ts'
import { watchCountOf } from './watch-report.ts'

export type Figures = Readonly<Record<string, number | string>>

export function figuresOf(state: ServerState): Figures {
  const { options, role } = state
  const { version, hasMetrics } = options.profile
  const leading = role === 'leader' ? leaderFigures(state) : {}
  if (!hasMetrics) return { ...monitorFigures(state), ...leading }
  const first = { version, server_state: role, ...quorumFigures(state) }
  return { ...first, ...monitorFigures(state), ...metrics(state), ...leading }
}

/** In the order of 3.5. Later ones begin with the version and the part, and then have none. */
function monitorFigures(state: ServerState): Figures {
  const { tree, packets, linkOf, sessions, role, options } = state
  const ephemerals = [...sessions].map(({ id }) => tree.ephemeralsOf(id).length)
  return {
    version: options.profile.version,
    avg_latency: averageLatency(state),
    max_latency: 0,
    min_latency: 0,
    packets_received: packets.received,
    packets_sent: packets.sent,
    num_alive_connections: connectionCount(state),
    outstanding_requests: outstandingOf(linkOf.values()),
    server_state: role,
    znode_count: znodeCount(state),
    watch_count: watchCountOf(state),
    ephemerals_count: ephemerals.reduce((sum, count) => sum + count, 0),
    approximate_data_size: dataBytes(state),
    open_file_descriptor_count: -1, // so a JVM has it that cannot tell
    max_file_descriptor_count: -1,
  }
}

function metrics({ sessions, localSessions, options, startedMs }: ServerState): Figures {
  return {
    uptime: Math.round(options.clock.nowMs() - startedMs),
    global_sessions: sessions.size - localSessions.size,
    local_sessions: localSessions.size,
  }
}

/** None for a server that is a member of none. */
function quorumFigures({ tree, role }: ServerState): Figures {
  const config = tree.get(configPath)?.data?.toString() ?? ''
  if (config === '') return {}
  const { members } = parseEnsembleConfig(config)
  const voters = members.filter((member) => member.role === 'participant')
  const part = { leader: 'leading', follower: 'following' }[role]
  const state = part === undefined ? {} : { peer_state: `${part} - broadcast` }
  return { ...state, quorum_size: voters.length }
}

function leaderFigures({ followers, options }: ServerState): Figures {
  const { hasMetrics } = options.profile
  return {
    [hasMetrics ? 'learners' : 'followers']: followers,
    synced_followers: followers,
    ...(hasMetrics ? { synced_non_voting_followers: 0, synced_observers: 0 } : {}),
    pending_syncs: 0,
    last_proposal_size: -1,
    max_proposal_size: -1,
    min_proposal_size: -1,
  }
}

/** Since 3.6 with a fraction. */
export function averageLatency({ options }: ServerState): string {
  return options.profile.hasMetrics ? '0.0' : '0'
}

/** With the one that asks, which has no session. */
export function connectionCount({ linkOf }: ServerState): number {
  return linkOf.size + 1
}

/** Servers count the root under two names: `/` and nothing. */
export function znodeCount({ tree }: ServerState): number {
  return tree.size + 1
}

export function outstandingOf(links: Iterable<Link>): number {
  return [...links].reduce((sum, { outstanding }) => sum + outstanding, 0)
}

/** Data and paths. */
function dataBytes({ tree }: ServerState): number {
  const { bytes } = tree.amountFrom('/')
  return [...tree.paths].reduce((sum, path) => sum + path.length, bytes)
}
