/** What options that are numbers must be. */
import { ZooKeeperError } from '../protocol/errors.ts'

/** A number above zero, `Infinity` included. */
export function positive(name: string, value: number): number {
  if (typeof value === 'number' && value > 0) return value
  throw new ZooKeeperError('BAD_ARGUMENTS', { detail: `${name} is not a positive number` })
}

/** What a timer can wait for. */
export function finite(name: string, value: number): number {
  if (value <= 0x7fff_ffff) return value
  throw new ZooKeeperError('BAD_ARGUMENTS', { detail: `${name} is too large` })
}
