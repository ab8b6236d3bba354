import { isIP, type OnReadOpts } from 'node:net'
import { type Duplex } from 'node:stream'
import { connect, type ConnectionOptions, createSecureContext, type TLSSocket } from 'node:tls'
import { formatHost } from '../protocol/connect-string.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type Target, type TlsSettings } from '../session/runtime.ts'

/** Throws `BAD_ARGUMENTS` for settings with which no attempt could succeed, such as a broken key. */
export function checkTls(settings: TlsSettings): void {
  try {
    createSecureContext(settings)
  } catch (cause) {
    throw new ZooKeeperError('BAD_ARGUMENTS', { detail: wrongOptions(cause), cause })
  }
}

/** `onread` is documented, but not in Node's types. */
type Reading = { readonly onread: OnReadOpts } | { readonly socket: Duplex }

/** Over TCP, unless there is a stream to speak through already. */
export function dialTls(target: Target, settings: TlsSettings, reading: Reading): TLSSocket {
  try {
    return connect({ ...tlsOptionsOf(target, settings), ...reading })
  } catch (cause) {
    throw new ZooKeeperError('TLS_FAILED', {
      detail: wrongOptions(cause), // those of a provider, which may tell others at the next attempt
      server: formatHost(target),
      cause,
    })
  }
}

function wrongOptions(cause: unknown): string {
  return `the TLS options are wrong: ${cause instanceof Error ? cause.message : 'unknown'}`
}

/**
 * The user's options under what is ours to decide: where to, verified unless that was switched off by
 * name (never by an environment variable), and under the name that the user configured, whatever
 * address it has. An address is checked against the addresses of the certificate; SNI is for names.
 */
function tlsOptionsOf({ address, port, name }: Target, settings: TlsSettings): ConnectionOptions {
  const given: ConnectionOptions = settings
  const host = name.replace(/\.$/, '')
  return {
    ...given,
    host: address,
    port,
    path: undefined,
    socket: undefined,
    servername: given.servername ?? (isIP(host) === 0 ? host : ''),
    rejectUnauthorized: given.rejectUnauthorized !== false,
  }
}
