/** What it takes to be let in, asked for anew at each dial. */
import { type Credential } from './auth.ts'
import { type SaslProvider } from './sasl.ts'
import { type TlsProvider } from './target.ts'

export interface Access {
  /** Null for connections in clear. */
  readonly tls: TlsProvider | null
  readonly sasl: SaslProvider | null
}

/** For servers that let everybody in. */
export const freeAccess: Access = { tls: null, sasl: null }

/**
 * Asks every credential what to say on the connection that is about to be made.
 *
 * @returns what makes them say it: an attempt that was given up meanwhile has no say any more.
 */
export async function renewalsOf(credentials: readonly Credential[]): Promise<() => void> {
  const renewals = await Promise.all(credentials.map((credential) => credential.renewal()))
  return () => {
    for (const renew of renewals) renew()
  }
}
