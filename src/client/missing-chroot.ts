import { type ErrorCode } from '../protocol/error-codes.ts'
import { parentPath } from '../protocol/path.ts'

/**
 * Says of a `NO_NODE` that it is the chroot that is missing, where that is certain without another
 * request: what was asked for is the chroot itself, or a child of it was to be created. The path is the
 * caller's, and null for an operation without one.
 */
export function hintAtChroot(
  chroot: string,
  code: ErrorCode,
  op: string,
  path: string | null,
): { readonly detail?: string } {
  if (chroot === '' || code !== 'NO_NODE' || path === null) return {}
  const missing = op.startsWith('create') ? parentPath(path) : path
  return missing === '/' ? { detail: `the chroot ${chroot} does not exist` } : {}
}
