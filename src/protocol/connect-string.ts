/**
 * `[zk://|zks://]host[:port][,host[:port]…][/chroot]`, or `dns-srv://service[/chroot]`. Source:
 * `ConnectStringParser`.
 */
import { defaultPort } from './constants.ts'
import { ZooKeeperError } from './errors.ts'
import { validatePath } from './path.ts'

/** One member of the ensemble, by the name the user gave it. */
export interface Host {
  /** A DNS name or an address; IPv6 addresses without brackets. */
  readonly name: string
  readonly port: number
}

export interface ConnectString {
  /** None if there is a `service`. */
  readonly hosts: readonly Host[]
  /** The name under which the hosts are found, in SRV records; null if they are named. */
  readonly service: string | null
  /** `''` for none, else an absolute path. */
  readonly chroot: string
  /** True for `zks://`. */
  readonly tls: boolean
}

/**
 * @example
 * parseConnectString('zk1, zk2:2182, [::1]:2183/app')
 * @throws {ZooKeeperError} `BAD_CONNECT_STRING`, saying which part is wrong; `BAD_ARGUMENTS` if that
 * is the chroot.
 */
export function parseConnectString(text: string): ConnectString {
  if (typeof text !== 'string') refuse(`it is ${typeof text}, not a string`)
  const [scheme, rest] = splitScheme(text.trim())
  const chrootAt = rest.indexOf('/')
  const server = chrootAt === -1 ? rest : rest.slice(0, chrootAt)
  const isService = scheme === 'dns-srv'
  return {
    hosts: isService ? [] : parseHosts(server),
    service: isService ? parseService(server) : null,
    chroot: parseChroot(chrootAt === -1 ? '' : rest.slice(chrootAt)),
    tls: scheme === 'zks',
  }
}

/** `host:port`, with brackets where the address itself has colons. */
export function formatHost({ name, port }: Host): string {
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`
}

function splitScheme(text: string): [scheme: string, rest: string] {
  const at = text.indexOf('://')
  if (at === -1) return ['zk', text]
  const scheme = text.slice(0, at).toLowerCase()
  if (!schemes.includes(scheme)) refuse(`the scheme "${scheme}" is none of ${schemes.join(', ')}`)
  return [scheme, text.slice(at + 3)]
}

const schemes: readonly string[] = ['zk', 'zks', 'dns-srv']

function parseHosts(text: string): Host[] {
  const items = text.split(',').map((item) => item.trim())
  const hosts = items.filter((item) => item !== '').map(parseHost)
  if (hosts.length === 0) refuse('it names no host')
  return hosts
}

/** Ports and hosts are what its records tell. */
function parseService(text: string): string {
  const name = text.trim()
  if (!/^[^\s,:[\]]+$/.test(name)) refuse(`"${name}" is no name of a service in DNS`)
  return name
}

function parseHost(item: string): Host {
  if (item.startsWith('[')) {
    const match = /^\[([^\]\s]+)\](:.*)?$/.exec(item)
    if (match === null) refuse(`"${item}" is no [address]:port`)
    return { name: match[1]!, port: parsePort(item, match[2]) }
  }
  const match = /^([^:]*)(:[^:]*)?$/.exec(item)
  if (match === null) refuse(`"${item}" has several colons; write IPv6 addresses as [address]:port`)
  const name = match[1]!
  if (name === '' || /\s/.test(name)) refuse(`"${item}" has no host name`)
  return { name, port: parsePort(item, match[2]) }
}

function parsePort(item: string, colonAndDigits: string | undefined): number {
  if (colonAndDigits === undefined) return defaultPort
  const port = /^:\d{1,5}$/.test(colonAndDigits) ? Number(colonAndDigits.slice(1)) : 0
  if (port < 1 || port > 65_535) refuse(`the port of "${item}" is not within 1 and 65535`)
  return port
}

function parseChroot(chroot: string): string {
  if (chroot === '' || chroot === '/') return ''
  validatePath(chroot)
  return chroot
}

function refuse(fault: string): never {
  throw new ZooKeeperError('BAD_CONNECT_STRING', {
    detail: `the connect string is wrong: ${fault}`,
  })
}
