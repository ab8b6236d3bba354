/**
 * Kerberos: a SASL mechanism made of the native package `kerberos`, which you install yourself.
 *
 *     import kerberos from 'kerberos'
 *     const zk = await connect('zk1.example.com:2181', { sasl: gssapi(kerberos) })
 *
 * The ticket is that of the process: of `kinit`, or by a keytab that KRB5_CLIENT_KTNAME names.
 * `npm run test:gssapi` runs it with a realm of its own and a real ZooKeeper.
 */
import { type SaslMechanism, ZooKeeperError } from 'zoowire'

/** What of the package is used. */
export interface Kerberos {
  initializeClient(service: string, options: { readonly mechOID: number }): Promise<KerberosClient>
  readonly GSS_MECH_OID_KRB5: number
}

interface KerberosClient {
  readonly contextComplete: boolean
  step(challenge: string): Promise<string | null>
  unwrap(message: string): Promise<string>
  wrap(message: string): Promise<string>
}

/** `service` is the first part of the servers' principals, `zookeeper/zk1.example.com@EXAMPLE.COM`. */
export function gssapi(kerberos: Kerberos, service = 'zookeeper'): SaslMechanism {
  return {
    name: 'GSSAPI',
    async begin({ name }) {
      const options = { mechOID: kerberos.GSS_MECH_OID_KRB5 }
      const client = await kerberos.initializeClient(`${service}@${name}`, options)
      const initialResponse = bytesOf(await client.step(''))
      let isAnswered = false
      return {
        initialResponse,
        async evaluate(challenge) {
          if (isAnswered && (challenge === null || challenge.length === 0)) return null // let in
          if (challenge === null || isAnswered) return refuse('the server did not let us in')
          // First the two prove to each other who they are.
          if (!client.contextComplete) return bytesOf(await client.step(base64Of(challenge)))
          // Then, in sealed words, they agree on what protects the rest: nothing, for ZooKeeper (RFC 4752).
          const offer = bytesOf(await client.unwrap(base64Of(challenge)))
          if (offer.length !== 4 || (offer[0]! & unprotected) === 0) {
            return refuse('the server demands to protect what follows')
          }
          isAnswered = true
          return bytesOf(await client.wrap(base64Of(Uint8Array.of(unprotected, 0, 0, 0))))
        },
      }
    },
  }
}

const unprotected = 1

/** Trying again is of no use, so this ends the client; what `kerberos` throws costs an attempt. */
function refuse(detail: string): never {
  throw new ZooKeeperError('AUTH_FAILED', { detail })
}

const base64Of = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const bytesOf = (base64: string | null) => Buffer.from(base64 ?? '', 'base64')
