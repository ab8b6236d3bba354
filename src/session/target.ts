import { formatHost } from '../protocol/connect-string.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type DialTarget } from './hosts.ts'
import { type Runtime, type Target, type TlsSettings } from './runtime.ts'

/** Asked at each dial, because certificates are renewed while a client lives. */
export type TlsProvider = () => TlsSettings | Promise<TlsSettings>

/**
 * Where a host is now, in the order in which to try, and how to talk to it: for the session's own links
 * and for links beside them. Names are looked up anew each time: a restarted server may have another
 * address.
 */
export async function targetsOf(
  runtime: Runtime,
  { host, attempt }: DialTarget,
  tlsOf: TlsProvider | null,
): Promise<readonly [Target, ...Target[]]> {
  const { name, port } = host
  const addresses = await runtime.resolve(name)
  const tls = tlsOf === null ? null : await tlsOf()
  // An address that swallows packets uses up the dial, so the next dial begins with another.
  const first = attempt % addresses.length
  const order = [...addresses.slice(first), ...addresses.slice(0, first)]
  const [target, ...others] = order.map((address) => ({ address, port, name, tls }))
  if (target === undefined) {
    const detail = `${formatHost(host)} has no address`
    throw new ZooKeeperError('CONNECTION_LOSS', { detail })
  }
  return [target, ...others]
}
