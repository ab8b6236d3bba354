/**
 * All durations of a session, derived from the one that was negotiated.
 *
 * A server forgets a session after one timeout T without a packet. A client that has heard nothing
 * for 2/3 T gives its connection up, which leaves 1/3 T to find another server; Java does the same.
 * A ping goes out after T/3 without anything sent, so that a dead link is noticed by an unanswered
 * ping and not only by the deadline, and after 10 s at the latest, because proxies and load balancers
 * forget idle connections too (Java's MAX_SEND_PING_INTERVAL). After 4/3 T without a word the session
 * is *lost*: servers round a deadline up to their next tick, so T alone would be too early, and Java
 * (since 3.9.3) draws the line at 4/3 T as well.
 */
export interface Timing {
  /** Nothing sent for so long: send a ping. */
  readonly pingAfterMs: number
  /** Nothing heard for so long: worth a word to those who watch over the client. */
  readonly quietAfterMs: number
  /** A server that was not asked in time, because this process was busy, has so long to answer. */
  readonly answerWithinMs: number
  /** Nothing heard for so long: the link is dead. */
  readonly silentAfterMs: number
  /** A server that lives, but does not answer an operation for so long, does not know it. */
  readonly trialMs: number
  /** Nothing heard for so long: the session is lost. */
  readonly lostAfterMs: number
  /** A connection that has not completed its handshake by then is given up. */
  readonly dialWithinMs: number
  /** No pause between dials is longer: a restarted server gives the session one timeout to return. */
  readonly pauseMsMax: number
  /** A deadline that passes so late was kept up by a busy process: a tenth of the session is gone. */
  readonly lateAfterMs: number
  /** A server that is to be left has so long to answer what it was asked. */
  readonly leaveWithinMs: number
}

const pingAfterMsMax = 10_000

/** A third of how long a call may take by default, so that there is time left to do without. */
const trialMsMax = 10_000

/** A host that is slow to accept deserves this much even if many hosts share a short timeout. */
const dialWithinMsMin = 1_000

export function timingOf(sessionTimeoutMs: number, hostCount: number): Timing {
  const silentAfterMs = (sessionTimeoutMs * 2) / 3
  return {
    pingAfterMs: Math.min(sessionTimeoutMs / 3, pingAfterMsMax),
    quietAfterMs: sessionTimeoutMs / 2,
    answerWithinMs: sessionTimeoutMs / 6,
    silentAfterMs,
    trialMs: Math.min(silentAfterMs, trialMsMax),
    lostAfterMs: (sessionTimeoutMs * 4) / 3,
    // Each host gets its share, so that one black hole cannot use up the whole session timeout; a lone
    // host no more than is left of the session, because a server that starts may never answer a
    // handshake that it took (seen of 3.9.5), and the next one at once.
    dialWithinMs: Math.min(
      silentAfterMs,
      Math.max(sessionTimeoutMs / Math.max(hostCount, 3), dialWithinMsMin),
    ),
    pauseMsMax: sessionTimeoutMs / 3,
    lateAfterMs: sessionTimeoutMs / 10,
    leaveWithinMs: sessionTimeoutMs / 3,
  }
}

export interface Backoff {
  /** The ceiling of the first pause; it doubles with every failure. */
  readonly msMin: number
  /** The ceiling of every pause. */
  readonly msMax: number
}

/**
 * How long to wait before a dial. None before the first one after a completed handshake; then full
 * jitter, anywhere between nothing and a doubling ceiling, which spreads a fleet best when a server
 * comes back.
 */
export function dialPauseMs(failures: number, random: number, { msMin, msMax }: Backoff): number {
  if (failures === 0) return 0
  return random * Math.min(msMax, msMin * 2 ** Math.min(failures - 1, 30))
}
