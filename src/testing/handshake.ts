/**
 * The first frame of a connection: a session is opened, or resumed, or said to be gone.
 *
 * Source: `ZooKeeperServer.processConnectRequest`, `finishSessionInit`; `ReadOnlyZooKeeperServer`.
 */
import { type handshake } from '../protocol/index.ts'
import { type Link } from './link.ts'
import { type Session } from './sessions.ts'
import { type ServerState } from './state.ts'

const passwordBytes = 16

export function answerHandshake(
  state: ServerState,
  link: Link,
  request: handshake.ConnectRequest,
): void {
  if (state.isReadOnly && request.readOnly !== true) return link.close()
  // The client has seen the future: some other server is ahead, and the client should go there.
  if (request.lastZxidSeen > state.lastZxid) return link.close()
  if (state.isReadOnly && isGlobal(state, request.sessionId)) return link.close()
  const session = sessionFor(state, request)
  // A client that does not send the byte does not expect it, either.
  const readOnly = request.readOnly === null ? null : state.isReadOnly
  if (session === null) {
    const passwd = Buffer.alloc(passwordBytes)
    link.replyHandshake({ protocolVersion: 0, timeOut: 0, sessionId: 0n, passwd, readOnly })
    return link.close()
  }
  link.session = session
  link.establishedMs = state.options.clock.wallMs()
  state.linkOf.set(session.id, link)
  link.replyHandshake({
    protocolVersion: 0,
    timeOut: session.timeoutMs,
    sessionId: session.id,
    passwd: session.password,
    readOnly,
  })
}

/** Null for a session that is gone, and for one the password does not fit. */
function sessionFor(state: ServerState, request: handshake.ConnectRequest): Session | null {
  if (request.sessionId === 0n || !state.options.profile.resumesSessions) {
    return state.isReadOnly
      ? state.createLocalSession(request.timeOut)
      : state.createSession(request.timeOut)
  }
  // The connection that holds the session is closed before the password is even looked at.
  state.linkOf.get(request.sessionId)?.close()
  return state.sessions.resume(request.sessionId, request.passwd, request.timeOut)
}

/** Without a quorum a server cannot keep such a session alive, and sends its client away. */
function isGlobal(state: ServerState, id: bigint): boolean {
  return state.sessions.get(id) !== undefined && !state.localSessions.has(id)
}
