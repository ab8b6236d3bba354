/**
 * Who may do what: the schemes world, auth, digest, ip, sasl, x509 and super.
 *
 * Source: `ZooKeeperServer.checkACL`, `PrepRequestProcessor.fixupACL`, `server/auth`.
 */
import { createHash } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import { type records } from '../protocol/index.ts'
import { refuse } from './refusal.ts'

type ACL = records.ACL
type Id = records.Id

/** Whether `ids`, the identities of a connection, have one of the permissions `perms`. */
export function isPermitted(acl: readonly ACL[], perms: number, ids: readonly Id[]): boolean {
  if (acl.length === 0 || ids.some((id) => id.scheme === 'super')) return true
  return acl.some((entry) => (entry.perms & perms) !== 0 && ids.some((id) => matches(entry.id, id)))
}

/** Throws NO_AUTH unless {@link isPermitted}. */
export function demand(acl: readonly ACL[], perms: number, ids: readonly Id[]): void {
  if (!isPermitted(acl, perms, ids)) refuse('NO_AUTH')
}

/** The schemes of every server; TLS and SASL bring their own. */
export const usualSchemes: ReadonlySet<string> = new Set(['world', 'digest', 'ip'])

/** Schemes of identities that somebody has proved, unlike an address. */
const provenSchemes: ReadonlySet<string> = new Set(['digest', 'sasl', 'x509'])

/**
 * The list as it is stored: without duplicates, `auth` replaced by the identities of the one who
 * asks. Throws INVALID_ACL if any entry is bad, or of none of the `schemes` that the server knows.
 */
export function storedAcl(
  requested: readonly ACL[],
  ids: readonly Id[],
  schemes: ReadonlySet<string>,
): readonly ACL[] {
  const stored = withoutDuplicates(requested).flatMap((entry) => {
    if (entry.id.scheme !== 'auth') {
      return schemes.has(entry.id.scheme) && isValid(entry.id) ? [entry] : refuse('INVALID_ACL')
    }
    const own = ids.filter((id) => provenSchemes.has(id.scheme))
    return own.length > 0 ? own.map((id) => ({ perms: entry.perms, id })) : refuse('INVALID_ACL')
  })
  return stored.length > 0 ? stored : refuse('INVALID_ACL')
}

/** The list for somebody who may read but not administer it: the hashes are hidden. */
export function maskedAcl(acl: readonly ACL[]): readonly ACL[] {
  return acl.map(({ perms, id: { scheme, id } }) => ({
    perms,
    id: { scheme, id: scheme === 'digest' ? id.replace(/:.*/, ':x') : id },
  }))
}

/** `bob:secret` becomes `bob:` and the hash that stands in ACLs. */
export function digestOf(userAndPassword: string): string {
  const hash = createHash('sha1').update(userAndPassword, 'utf8').digest('base64')
  return `${userOf(userAndPassword)}:${hash}`
}

/** The name in `name:whatever`. */
export function userOf(id: string): string {
  return id.split(':', 1)[0] ?? ''
}

/** IPv4 addresses reach a dual-stack socket in a longer form, which no ACL is written in. */
export function plainAddress(remoteAddress: string): string {
  return remoteAddress.replace(/^::ffff:/i, '')
}

/** Every connection has an `ip` identity, so somebody always matches `world`. */
function matches(granted: Id, id: Id): boolean {
  if (granted.scheme === 'world') return granted.id === 'anyone'
  if (granted.scheme !== id.scheme) return false
  if (granted.scheme === 'sasl' && id.id === 'super') return true
  return granted.scheme === 'ip' ? isInRange(granted.id, id.id) : granted.id === id.id
}

function isValid({ scheme, id }: Id): boolean {
  switch (scheme) {
    case 'world':
      return id === 'anyone'
    case 'digest':
      return isDigest(id)
    case 'ip':
      return rangeOf(id) !== null
    case 'sasl':
      return id !== ''
    case 'x509':
      return /^[\w.]+=/.test(id)
    default:
      return false
  }
}

/** Two pieces around a colon, where Java does not count empty pieces at the end. */
function isDigest(id: string): boolean {
  return id.replace(/:+$/, '').split(':').length === 2
}

function isInRange(range: string, address: string): boolean {
  const parsed = rangeOf(range)
  if (parsed === null || parsed.family !== familyOf(address)) return false
  const list = new BlockList()
  list.addSubnet(parsed.address, parsed.bits, parsed.family)
  return list.check(address, parsed.family)
}

/** `10.0.0.0/8`, or one address without bits. */
function rangeOf(text: string) {
  const [, address = '', digits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  if (isIP(address) === 0) return null
  const family = familyOf(address)
  const bitsMax = family === 'ipv4' ? 32 : 128
  const bits = digits === undefined ? bitsMax : Number(digits)
  return bits <= bitsMax ? { address, bits, family } : null
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}

function withoutDuplicates(acl: readonly ACL[]): readonly ACL[] {
  const byText = new Map(acl.map((entry) => [JSON.stringify(entry), entry]))
  return [...byText.values()]
}
