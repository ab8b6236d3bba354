import { formatHost } from '../protocol/connect-string.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type DialTarget } from './hosts.ts'
import { type Runtime, type Target, type TlsSettings } from './runtime.ts'

/** Asked at each dial, because certificates are renewed while a client lives. */
export type TlsProvider = () => TlsSettings | Promise<TlsSettings>

/**
 * Where a host is now, and how to talk to it: for the session's own links and for links beside them.
 * Names are looked up anew each time: a restarted server may have another address.
 */
export async function targetOf(
  runtime: Runtime,
  { host, attempt }: DialTarget,
  tls: TlsProvider | null,
): Promise<Target> {
  const { name, port } = host
  const addresses = await runtime.resolve(name)
  const address = addresses[attempt % addresses.length]
  if (address === undefined) {
    const detail = `${formatHost(host)} has no address`
    throw new ZooKeeperError('CONNECTION_LOSS', { detail })
  }
  return { address, port, name, tls: tls === null ? null : await tls() }
}
