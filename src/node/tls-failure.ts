/** What a failed TLS handshake means, in words: OpenSSL's own are for those who know its source. */
import { formatHost } from '../protocol/connect-string.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type Target } from '../session/runtime.ts'

/** How far a connection got; what an error means depends on it. */
export type Progress = 'dialled' | 'reached' | 'open' | 'heard'

/** Until a byte was read, an error is about TLS: servers refuse certificates behind the handshake. */
export function failureOf(target: Target, cause: Error | null, progress: Progress): Error | null {
  if (cause === null || target.tls === null || progress === 'dialled') return cause
  const isAboutTls = progress !== 'heard' || isTlsAlert(cause)
  return isAboutTls ? tlsFailure(target, cause, progress === 'open') : cause
}

/** A fatal alert: in TLS 1.3 a server refuses a client certificate when the client is done. */
function isTlsAlert(cause: Error): boolean {
  return codeOf(cause).startsWith('ERR_SSL_')
}

/** `isOpen`: the client was through with its part of the handshake. */
function tlsFailure(target: Target, cause: Error, isOpen: boolean): ZooKeeperError {
  const server = formatHost(target)
  const detail = `no TLS connection to ${server}: ${meaningOf(cause, isOpen)}`
  return new ZooKeeperError('TLS_FAILED', { detail, server, cause })
}

function meaningOf(cause: Error, isOpen: boolean): string {
  const code = codeOf(cause)
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return 'the server does not speak TLS on this port'
  }
  if (isTlsAlert(cause)) return `the server or this client refused: ${reasonOf(cause)}`
  if (!hangUps.has(code)) return cause.message
  return isOpen
    ? 'the server hung up behind the handshake: it may demand another client certificate'
    : 'the server hung up during the handshake: it may not speak TLS on this port'
}

/** Whoever was hung up on reads or writes once more. */
const hangUps: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
])

/** `tlsv1 alert unknown ca`, without the line of OpenSSL's source. */
function reasonOf(cause: Error): string {
  return 'reason' in cause ? String(cause.reason) : cause.message
}

function codeOf(cause: Error): string {
  return 'code' in cause ? String(cause.code) : ''
}
