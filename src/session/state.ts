/**
 * Two rules. Everything that affects transitions lives in this file, as two literal tables; and a
 * missing cell is an error in this package, never a silent no-op.
 *
 * The *link* is one connection, the *session* is what the servers believe about us. They are kept
 * apart because a session outlives many links: it is `suspended` while there is none, `lost` once
 * the servers have probably expired it, and `expired` only when a server has said so, or when it was
 * given up to another client.
 *
 * Control plane only: requests, replies and pings of an attached link never pass through here.
 * `docs/architecture.md` draws its diagrams from these tables.
 */
import { ZooKeeperError } from '../protocol/errors.ts'

/** Why a session changed its state; what happened, in the past tense. */
export type Trigger =
  /** A server opened or resumed the session. */
  | 'established'
  /** The same, by a server that has no quorum and serves reads only. */
  | 'established-read-only'
  /** The connection ended, or was given up for its silence or its bytes. */
  | 'disconnected'
  /** The connection was left for another server, by our own choice. */
  | 'moved'
  /** Nothing was heard for 4/3 of the session timeout: the ephemerals are as good as gone. */
  | 'unheard'
  /** A server refused to resume the session. */
  | 'refused'
  /** The same, by servers that may have less data than this client has seen: some may be lost. */
  | 'data-lost'
  /** The session was given up to another client that uses it, too. */
  | 'taken-over'
  /** A server rejected our credentials. */
  | 'auth-rejected'
  /** The user asked for the end. */
  | 'close-requested'
  /** closeSession was answered, or its grace is over. */
  | 'close-finished'

const attached = {
  disconnected: 'suspended',
  moved: 'suspended',
  'auth-rejected': 'auth-failed',
  'close-requested': 'closing',
} as const

const unopened = {
  established: 'connected',
  'established-read-only': 'read-only',
  'auth-rejected': 'auth-failed',
  'close-requested': 'closed',
} as const

const detached = { ...unopened, refused: 'expired', 'taken-over': 'expired' } as const

export const sessionTransitions = {
  connecting: detached, // with a session that was handed over
  connected: attached,
  'read-only': attached,
  suspended: { ...detached, unheard: 'lost' },
  lost: { ...detached, 'data-lost': 'expired' },
  closing: { disconnected: 'closed', 'auth-rejected': 'closed', 'close-finished': 'closed' },
  expired: {}, // terminal, as the next two: the client makes a new session or none
  'auth-failed': {},
  closed: {},
} as const satisfies Record<string, Partial<Record<Trigger, string>>>

export type SessionState = keyof typeof sessionTransitions

export type LinkTrigger =
  'dialled' | 'opened' | 'accepted' | 'sasl-begun' | 'sasl-finished' | 'failed' | 'ended'

export const linkTransitions = {
  idle: { dialled: 'dialling', ended: 'ended' },
  dialling: { opened: 'handshaking', failed: 'idle', ended: 'ended' },
  handshaking: {
    accepted: 'attached',
    'sasl-begun': 'authenticating',
    failed: 'idle',
    ended: 'ended',
  },
  authenticating: { 'sasl-finished': 'attached', failed: 'idle', ended: 'ended' },
  attached: { failed: 'idle', ended: 'ended' },
  ended: {},
} as const satisfies Record<string, Partial<Record<LinkTrigger, string>>>

export type LinkState = keyof typeof linkTransitions

export function sessionAfter(from: SessionState, trigger: Trigger): SessionState {
  const row: Partial<Record<Trigger, SessionState>> = sessionTransitions[from]
  return row[trigger] ?? refuse('session', from, trigger)
}

export function linkAfter(from: LinkState, trigger: LinkTrigger): LinkState {
  const row: Partial<Record<LinkTrigger, LinkState>> = linkTransitions[from]
  return row[trigger] ?? refuse('link', from, trigger)
}

/** Whether the session has come to its end. */
export function isTerminal(state: SessionState): boolean {
  return Object.keys(sessionTransitions[state]).length === 0
}

function refuse(machine: string, from: string, trigger: string): never {
  throw new ZooKeeperError('SYSTEM_ERROR', { detail: `${machine}: "${trigger}" while "${from}"` })
}
