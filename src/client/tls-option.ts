import { type ConnectionOptions } from 'node:tls'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type TlsProvider } from '../session/target.ts'

/**
 * The options of Node's `tls.connect`, or a function that is asked for them at each attempt. `true`
 * stands for no options: the system's authorities.
 */
export type TlsOption =
  boolean | ConnectionOptions | (() => ConnectionOptions | Promise<ConnectionOptions>)

/** Null for connections in clear. `isNamed`: whether the connect string asks for TLS. */
export function tlsProviderOf(given: TlsOption | undefined, isNamed: boolean): TlsProvider | null {
  if (given === false && isNamed) refuse('tls is false, but zks:// asks for it')
  if (given === undefined || given === false) return isNamed ? () => ({}) : null
  if (given === true) return () => ({})
  if (typeof given === 'function') return async () => checked(await given())
  checked(given)
  return () => given
}

/** Whatever is not settings must not be taken for the wish to speak in clear. */
function checked(settings: unknown): object {
  if (typeof settings === 'object' && settings !== null) return settings
  return refuse('tls is not the options of tls.connect')
}

function refuse(detail: string): never {
  throw new ZooKeeperError('BAD_ARGUMENTS', { detail })
}
