/**
 * Follows the ensemble by its own account of who its servers are, for as long as the client lives.
 */
import { type Host } from '../protocol/connect-string.ts'
import { type EnsembleConfig, type EnsembleMember } from '../protocol/ensemble-config.ts'
import { printable } from '../protocol/errors.ts'
import { getConfig } from './ensemble.ts'
import { patiently } from './patience.ts'
import { type View } from './view.ts'

/** Never rejects. What no waiting can mend (a missing permission, say) ends it, with a warning. */
export async function followConfig(view: View): Promise<void> {
  const { keeper } = view
  const patient = { timeout: Infinity }
  const warn = (message: string, cause?: unknown) => {
    if (keeper.endCode === null)
      keeper.options.logger?.warn(printable(`zoowire: ${message}`), cause)
  }
  try {
    while (keeper.endCode === null) {
      const changed = newSignal()
      const read = () => getConfig(view, { ...patient, watch: changed.fire })
      const config = await patiently(read, () => view.untilServed(patient))
      const { hosts, doubts } = clientHostsOf(config, keeper.options.tls !== null)
      for (const doubt of doubts) warn(doubt)
      if (hosts.length > 0) keeper.updateHosts(hosts)
      else warn('the configuration of the ensemble names no server for clients; the list stays')
      await changed.fired
    }
  } catch (error) {
    warn('the configuration of the ensemble is not followed any more', error)
  }
}

/**
 * Where clients reach the servers. A server that listens on all its addresses names none of them; then
 * it is reached where the other servers reach it.
 */
export function clientHostsOf(
  { members }: EnsembleConfig,
  isTls: boolean,
): { readonly hosts: readonly Host[]; readonly doubts: readonly string[] } {
  const hosts: Host[] = []
  const doubts: string[] = []
  for (const member of members) {
    const client = isTls ? member.secureClient : member.client
    const name = client === null ? null : reachable(client.name, member)
    if (client === null)
      doubts.push(`server.${member.id} names no ${isTls ? 'TLS ' : ''}port for clients`)
    else if (name === null) doubts.push(`server.${member.id} names no address for clients`)
    else hosts.push({ name, port: client.port })
  }
  return { hosts, doubts }
}

function reachable(name: string, { addresses }: EnsembleMember): string | null {
  const names = [name, ...addresses.map((address) => address.name)]
  return names.find((one) => !wildcards.has(one)) ?? null
}

const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '*', ''])

/** Something that happens once, and can be awaited. */
function newSignal(): { readonly fired: Promise<void>; readonly fire: () => void } {
  let fire = (): void => undefined
  const fired = new Promise<void>((resolve) => (fire = resolve))
  return { fired, fire }
}
