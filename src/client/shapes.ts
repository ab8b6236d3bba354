/** What is made of the responses of the servers before callers get them. */
import { stripChroot } from '../protocol/path.ts'
import { type Create2Response, type Stat } from '../protocol/records.ts'
import { type CreateResult } from './results.ts'

export const asIs = <T>(response: T): T => response

export const nothing = (): void => undefined

export const statOf = ({ stat }: { readonly stat: Stat }): Stat => stat

export function createdOf({ path, stat }: Create2Response, chroot: string): CreateResult {
  return { path: stripChroot(chroot, path), stat }
}
