import { createHash } from 'node:crypto'
import { answerChallenge, checkServerProof, type Md5 } from '../protocol/digest-md5.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type SaslExchange, type SaslMechanism } from '../session/sasl.ts'

/** Who one is for DIGEST-MD5, and the password that proves it. */
export interface DigestMd5Options {
  readonly mechanism: 'DIGEST-MD5'
  readonly username: string
  readonly password: string
}

const md5: Md5 = (bytes) => createHash('md5').update(bytes).digest()

export function digestMd5({ username, password }: DigestMd5Options, uuid: () => string) {
  const mechanism: SaslMechanism = {
    name: 'DIGEST-MD5',
    begin: () => digestMd5Exchange({ username, password, cnonce: uuid() }),
  }
  return mechanism
}

function digestMd5Exchange(client: Parameters<typeof answerChallenge>[1]): SaslExchange {
  let owedProof: string | null = null
  return {
    initialResponse: new Uint8Array(0),
    evaluate(challenge) {
      if (challenge === null) return refuse(owedProof === null)
      if (owedProof !== null) {
        checkServerProof(challenge, owedProof)
        return null
      }
      const { token, rspauth } = answerChallenge(challenge, client, md5)
      owedProof = rspauth
      return token
    },
  }
}

/** Servers without SASL answer with nothing, and so do those that let failed clients in. */
function refuse(isFirst: boolean): never {
  const detail = isFirst
    ? 'the server does not take part in SASL'
    : 'the server has not authenticated this client, nor proved itself'
  throw new ZooKeeperError('AUTH_FAILED', { detail })
}
