/**
 * The first frame of a connection: a session is opened, or resumed, or said to be gone.
 *
 * Source: `ZooKeeperServer.processConnectRequest`, `finishSessionInit`; `ReadOnlyZooKeeperServer`.
 */
import { type handshake } from '../protocol/index.ts'
import { type Link } from './link.ts'
import { passwordOf, type Session } from './sessions.ts'
import { type ServerState } from './state.ts'

const passwordBytes = 16

/** Calls `done` behind its answer, which may come later, or never. */
export function answerHandshake(
  state: ServerState,
  link: Link,
  request: handshake.ConnectRequest,
  done: () => void,
): void {
  if (state.isReadOnly && request.readOnly !== true) return link.close()
  // The client has seen the future: some other server is ahead, and the client should go there.
  if (request.lastZxidSeen > state.lastZxid) return link.close()
  if (state.isReadOnly && isGlobal(state, request.sessionId)) return link.close()
  findSession(state, link, request, (session) => {
    if (session === null) refuse(link, readOnlyIn(state, request))
    else if (!link.isClosed) welcome(state, link, session, readOnlyIn(state, request))
    done()
  })
}

/** Null for a session that is gone, and for one the password does not fit. */
function findSession(
  state: ServerState,
  link: Link,
  request: handshake.ConnectRequest,
  answer: (session: Session | null) => void,
): void {
  const { sessionId, timeOut, passwd } = request
  if (sessionId === 0n || !state.options.profile.resumesSessions) {
    if (state.isReadOnly) answer(state.createLocalSession(timeOut))
    else state.createSession(timeOut, link, answer)
    return
  }
  // The connection that holds the session is closed before the password is even looked at.
  state.linkOf.get(sessionId)?.close()
  if (passwd === null || !passwordOf(sessionId).equals(passwd)) answer(null)
  else state.resumeSession(sessionId, timeOut, link, answer)
}

/** A client that does not send the byte does not expect it, either. */
function readOnlyIn({ isReadOnly }: ServerState, request: handshake.ConnectRequest) {
  return request.readOnly === null ? null : isReadOnly
}

function refuse(link: Link, readOnly: boolean | null): void {
  const passwd = Buffer.alloc(passwordBytes)
  link.replyHandshake({ protocolVersion: 0, timeOut: 0, sessionId: 0n, passwd, readOnly })
  link.close()
}

function welcome(state: ServerState, link: Link, session: Session, readOnly: boolean | null) {
  link.session = session
  link.establishedMs = state.options.clock.wallMs()
  state.linkOf.set(session.id, link)
  state.touch(session, link)
  link.replyHandshake({
    protocolVersion: 0,
    timeOut: session.timeoutMs,
    sessionId: session.id,
    passwd: passwordOf(session.id),
    readOnly,
  })
}

/** Without a quorum a server cannot keep such a session alive, and sends its client away. */
function isGlobal(state: ServerState, id: bigint): boolean {
  return state.sessions.get(id) !== undefined && !state.localSessions.has(id)
}
