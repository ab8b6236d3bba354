import { ZooKeeperError } from '../protocol/errors.ts'
import { type SaslMechanism, type SaslProvider } from '../session/sasl.ts'
import { digestMd5, type DigestMd5Options } from './digest-md5.ts'

/** User and password for DIGEST-MD5, or a mechanism of one's own. */
export type SaslSettings = DigestMd5Options | SaslMechanism

/** What to prove, or a function that is asked for it at each attempt. */
export type SaslOption = SaslSettings | (() => SaslSettings | Promise<SaslSettings>)

/** Null without SASL. `uuid` gives what nobody can guess. */
export function saslProviderOf(
  given: SaslOption | undefined,
  uuid: () => string,
): SaslProvider | null {
  if (given === undefined) return null
  return async (server) => {
    const settings = checkSasl(typeof given === 'function' ? await given() : given)
    const mechanism = 'mechanism' in settings ? digestMd5(settings, uuid) : settings
    return { mechanism: mechanism.name, exchange: await mechanism.begin(server) }
  }
}

/** Throws `BAD_ARGUMENTS` for what no provider may return either. */
export function checkSasl(settings: SaslSettings): SaslSettings {
  const given: unknown = settings
  if (typeof given !== 'object' || given === null) return refuse('sasl is no object')
  if (!('mechanism' in settings)) {
    const isUsable = typeof settings.name === 'string' && typeof settings.begin === 'function'
    return isUsable ? settings : refuse('a SASL mechanism has a name and begins exchanges')
  }
  const { mechanism, username, password } = settings
  const name: string = mechanism
  if (name !== 'DIGEST-MD5') return refuse('only DIGEST-MD5 is built in; others are objects')
  if (typeof username !== 'string' || username === '' || typeof password !== 'string') {
    return refuse('sasl has no username and password')
  }
  return settings
}

function refuse(detail: string): never {
  throw new ZooKeeperError('BAD_ARGUMENTS', { detail })
}
