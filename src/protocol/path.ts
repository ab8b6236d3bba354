/** znode paths: which are valid, and how a chroot maps them. Source: `PathUtils`, `Chroot`. */
import { ZooKeeperError } from './errors.ts'

/**
 * Throws unless `path` is absolute, has no empty, `.` or `..` segment, no trailing slash, and none of
 * the characters ZooKeeper refuses.
 *
 * @throws {ZooKeeperError} `BAD_ARGUMENTS`, saying what is wrong.
 */
export function validatePath(path: string): void {
  const fault = faultOf(path)
  if (fault !== null) refuse(path, fault)
}

/** A sequential create may end in `/` or `/.`: the server appends digits before it looks. */
export function validateSequentialPath(path: string): void {
  const fault = faultOf(typeof path === 'string' ? `${path}1` : path)
  if (fault !== null) refuse(path, fault)
}

/** `/app` and `/config` make `/app/config`. The empty chroot is no chroot. */
export function prependChroot(chroot: string, path: string): string {
  if (chroot === '') return path
  return path === '/' ? chroot : chroot + path
}

/** The inverse of {@link prependChroot}; a path outside the chroot comes back as it is. */
export function stripChroot(chroot: string, path: string): string {
  if (chroot === '') return path
  if (path === chroot) return '/'
  return path.startsWith(chroot) && path.charCodeAt(chroot.length) === slash
    ? path.slice(chroot.length)
    : path
}

/** `/a/b` for `/a/b/c`; `/` for `/a`. The root is its own parent. */
export function parentPath(path: string): string {
  const at = path.lastIndexOf('/')
  return at <= 0 ? '/' : path.slice(0, at)
}

/** What is no string is not repeated in the message: it need not be printable. */
function refuse(path: unknown, fault: string): never {
  const text = typeof path === 'string' ? path : null
  throw new ZooKeeperError('BAD_ARGUMENTS', { path: text, detail: fault })
}

const slash = 0x2f
const dot = 0x2e

/** One pass over the UTF-16 units, because every call of the client goes through it. */
function faultOf(path: string): string | null {
  if (typeof path !== 'string') return `a path is a string, not ${typeof path}`
  if (path.length === 0) return 'a path cannot be empty'
  if (path.charCodeAt(0) !== slash) return 'a path starts with "/"'
  if (path.length === 1) return null
  let segmentAt = 1
  for (let at = 1; at < path.length; at++) {
    const unit = path.charCodeAt(at)
    if (unit === slash) {
      const fault = segmentFault(path, segmentAt, at)
      if (fault !== null) return fault
      segmentAt = at + 1
    } else if (isRefused(unit)) {
      return `a path cannot contain U+${unit.toString(16).toUpperCase().padStart(4, '0')}`
    }
  }
  if (segmentAt === path.length) return 'a path does not end with "/"'
  return segmentFault(path, segmentAt, path.length)
}

function segmentFault(path: string, start: number, end: number): string | null {
  if (end === start) return 'a path has no empty segment'
  if (path.charCodeAt(start) !== dot) return null
  if (end === start + 1) return 'a path has no "." segment'
  if (end === start + 2 && path.charCodeAt(start + 1) === dot) return 'a path has no ".." segment'
  return null
}

/** Controls, surrogates with the private use area, and the last sixteen of the plane. */
function isRefused(unit: number): boolean {
  if (unit >= 0x20 && unit < 0x7f) return false
  return unit < 0xa0 || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0
}
