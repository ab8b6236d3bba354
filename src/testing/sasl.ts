/**
 * The server's side of SASL: DIGEST-MD5, the one mechanism that needs nobody else.
 *
 * Source: `ZooKeeperSaslServer`, `SaslServerCallbackHandler`, and the JDK's `DigestMD5Server`.
 */
import { createHash, randomBytes } from 'node:crypto'
import { digestMd5 } from '../protocol/index.ts'

export interface SaslOptions {
  /** Passwords by user. */
  readonly users: Readonly<Record<string, string>>
  /** Whether nothing but authentication is answered before it. Default false. */
  readonly required?: boolean
}

const realm = 'zk-sasl-md5'

/** One exchange, on one connection. */
export class SaslExchange {
  /** Whom the client has proved to be. */
  user: string | null = null
  readonly #passwords: ReadonlyMap<string, string>
  readonly #nonce = randomBytes(30).toString('base64')
  #isChallenged = false

  constructor({ users }: SaslOptions) {
    this.#passwords = new Map(Object.entries(users))
  }

  /** What to tell the client; null if it is refused. Its first word is ignored, as by the JDK. */
  evaluate(token: Uint8Array): Buffer | null {
    if (this.#isChallenged) return this.user === null ? this.#judged(token) : null
    this.#isChallenged = true
    const nonce = `nonce="${this.#nonce}"`
    return Buffer.from(`realm="${realm}",${nonce},charset=utf-8,algorithm=md5-sess`)
  }

  #judged(token: Uint8Array): Buffer | null {
    try {
      return this.#judge(token)
    } catch {
      return null // no answer to any challenge
    }
  }

  #judge(token: Uint8Array): Buffer | null {
    const said = digestMd5.readDirectives(token)
    const username = said.get('username') ?? ''
    const password = this.#passwords.get(username)
    if (password === undefined || !this.#isExpected(said)) return null
    const proofs = digestMd5.proofsOf(
      {
        username,
        password,
        realm,
        nonce: this.#nonce,
        cnonce: said.get('cnonce') ?? '',
        digestUri: said.get('digest-uri') ?? '',
        authzid: said.get('authzid'),
      },
      (bytes) => createHash('md5').update(bytes).digest(),
    )
    if (!digestMd5.isSame(said.get('response') ?? '', proofs.response)) return null
    this.user = username
    return Buffer.from(`rspauth=${proofs.rspauth}`)
  }

  #isExpected(said: ReadonlyMap<string, string>): boolean {
    return (
      said.get('realm') === realm &&
      said.get('nonce') === this.#nonce &&
      said.get('nc') === digestMd5.nonceCount &&
      said.get('cnonce') !== undefined &&
      said.get('digest-uri')?.toLowerCase() === digestMd5.saslServiceUri &&
      (said.get('qop') ?? 'auth') === 'auth' &&
      (said.get('authzid') ?? said.get('username')) === said.get('username')
    )
  }
}
