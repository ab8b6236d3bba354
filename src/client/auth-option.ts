import { type AuthProvider } from '../session/auth.ts'

/** Strings are sent as UTF-8. */
export type AuthData = string | Uint8Array

/** What to say for a scheme, or a function that is asked for it at each attempt. */
export type AuthOption = AuthData | (() => AuthData | Promise<AuthData>)

/** An identity that the client takes on at every connection. */
export interface Auth {
  /** Such as `'digest'`. */
  readonly scheme: string
  /**
   * What the scheme expects, such as `'user:password'`; or a function that is asked for it at each
   * attempt, so that a renewed password is used without a new client. If it throws, the attempt has
   * failed.
   */
  readonly auth: AuthOption
}

/** Copies what is given, so that the caller may reuse it. */
export function authOf(given: AuthOption): Uint8Array | AuthProvider {
  return typeof given === 'function' ? async () => bytesOf(await given()) : bytesOf(given)
}

function bytesOf(data: AuthData): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : Uint8Array.from(data)
}
