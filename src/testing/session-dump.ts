/**
 * Sessions, their ephemeral znodes and their connections, as `dump` tells it.
 *
 * Source: `DumpCommand`, `SessionTrackerImpl.dumpSessions`, `LearnerSessionTracker.dumpSessions`,
 * `DataTree.dumpEphemerals`, `NIOServerCnxnFactory.dumpConnections`.
 */
import { type Link } from './link.ts'
import { type ServerState } from './state.ts'
import { dateOf, hexOf, linesOf } from './word-text.ts'

export function sessionDump(state: ServerState, asker: Link): string {
  return linesOf([
    'SessionTracker dump:',
    ...(state.role === 'follower' ? heardOfLines(state) : expiryLines(state)),
    'ephemeral nodes dump:',
    ...ephemeralLines(state),
    'Connections dump:',
    ...connectionLines(state, asker),
  ])
}

/** A follower knows nothing of their time. */
function heardOfLines({ sessions }: ServerState): string[] {
  const lines = [...sessions].map(({ id, timeoutMs }) => `${hexOf(id)}\t${timeoutMs}ms`)
  return [`Global Sessions(${sessions.size}):`, ...lines]
}

/** Those that expire together stand together. */
function expiryLines({ sessions, options: { clock } }: ServerState): string[] {
  const sets = sessions.expiries
  const lines = sets.flatMap(([atMs, due]) => [
    `${due.length} expire at ${dateOf(clock.wallMs() + atMs - clock.nowMs())}:`,
    ...due.map(({ id }) => `\t${hexOf(id)}`),
  ])
  return [`Session Sets (${sets.length})/(${sessions.size}):`, ...lines]
}

function ephemeralLines({ sessions, tree }: ServerState): string[] {
  const owners = [...sessions]
    .map(({ id }) => ({ id, paths: tree.ephemeralsOf(id) }))
    .filter(({ paths }) => paths.length > 0)
  const lines = owners.flatMap(({ id, paths }) => [
    `${hexOf(id)}:`,
    ...paths.map((path) => `\t${path}`),
  ])
  return [`Sessions with Ephemerals (${owners.length}):`, ...lines]
}

/** Here they are not closed by time: all stand in one set. */
function connectionLines({ linkOf, options: { clock } }: ServerState, asker: Link): string[] {
  const links = [...linkOf.values(), asker]
  return [
    `Connections Sets (1)/(${links.length}):`,
    `${links.length} expire at ${dateOf(clock.wallMs())}:`,
    ...links.map(({ peer, sessionId }) => `\tip: /${peer} sessionId: ${hexOf(sessionId)}`),
  ]
}
