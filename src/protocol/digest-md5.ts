/**
 * DIGEST-MD5 (RFC 2831), as ZooKeeper's servers speak it: `qop=auth`, and no layer of its own. Both
 * sides prove that they know the password without sending it. The hash is passed in.
 *
 * Byte strings are held in latin1 strings, one character for each byte, so that `+` joins them.
 */
import { ProtocolError, ZooKeeperError } from './errors.ts'

export type Md5 = (bytes: Uint8Array) => Uint8Array

/** What both sides put into their proofs. */
export interface DigestMd5 {
  readonly username: string
  readonly password: string
  readonly realm: string
  readonly nonce: string
  readonly cnonce: string
  readonly digestUri: string
  /** As whom the client wants to act, if it says so. */
  readonly authzid?: string | undefined
}

/** 32 hexadecimal digits each. */
export interface Proofs {
  /** What the client says. */
  readonly response: string
  /** What the server says: nobody else could. */
  readonly rspauth: string
}

/** What every ZooKeeper server is called. Source: `ZooKeeperSaslServer`. */
export const saslServiceUri = 'zookeeper/zk-sasl-md5'

/** Each side's first proof is the only one. */
export const nonceCount = '00000001'

/** RFC 2831 has no longer challenges. */
const challengeBytesMax = 2048

export function proofsOf(inputs: DigestMd5, md5: Md5): Proofs {
  const { username, password, realm, nonce, cnonce, digestUri, authzid } = inputs
  const hash = (text: string) => Buffer.from(md5(Buffer.from(text, 'latin1')))
  const hex = (text: string) => hash(text).toString('hex')
  const secret = hash(`${octets(username)}:${octets(realm)}:${octets(password)}`).toString('latin1')
  const acting = authzid === undefined ? '' : `:${octets(authzid)}`
  const key = hex(`${secret}:${nonce}:${cnonce}${acting}`)
  const proof = (method: string) =>
    hex(`${key}:${nonce}:${nonceCount}:${cnonce}:auth:${hex(`${method}:${octets(digestUri)}`)}`)
  return { response: proof('AUTHENTICATE'), rspauth: proof('') }
}

/** Who the client is, and a nonce of its own, as random as the server's. */
export interface DigestMd5Client {
  readonly username: string
  readonly password: string
  readonly cnonce: string
}

/**
 * The answer to a server's challenge, and the proof that the server owes for it.
 *
 * @throws {ProtocolError} for what is no challenge of DIGEST-MD5, or one that asks for more than
 * authentication.
 */
export function answerChallenge(
  challenge: Uint8Array,
  { username, password, cnonce }: DigestMd5Client,
  md5: Md5,
): { readonly token: Uint8Array; readonly rspauth: string } {
  const directives = readDirectives(challenge)
  const nonce = directives.get('nonce') ?? refuse('it has no nonce')
  if (directives.get('algorithm') !== 'md5-sess') refuse('its algorithm is not md5-sess')
  const qop = directives.get('qop') ?? 'auth'
  if (!qop.split(/[ \t]*,[ \t]*/).includes('auth')) refuse(`it demands "${qop}"`)
  const realm = directives.get('realm') ?? ''
  const inputs = { username, password, realm, nonce, cnonce, digestUri: saslServiceUri }
  const { response, rspauth } = proofsOf(inputs, md5)
  const answer =
    `charset=utf-8,username=${quoted(username)},realm=${quoted(realm)},nonce=${quoted(nonce)},` +
    `nc=${nonceCount},cnonce=${quoted(cnonce)},digest-uri="${saslServiceUri}",` +
    `response=${response},qop=auth`
  return { token: Buffer.from(answer, 'utf8'), rspauth }
}

/**
 * Checks the last word of a server.
 *
 * @throws {ZooKeeperError} `AUTH_FAILED` if it does not prove that the server knows the password.
 */
export function checkServerProof(last: Uint8Array, rspauth: string): void {
  if (isSame(readDirectives(last).get('rspauth') ?? '', rspauth)) return
  const detail = 'the server has not proved that it knows the password (rspauth)'
  throw new ZooKeeperError('AUTH_FAILED', { detail })
}

/**
 * `name=token` and `name="quoted"`, with commas between them. Of several realms the first one counts.
 *
 * @throws {ProtocolError} for anything else.
 */
export function readDirectives(bytes: Uint8Array): ReadonlyMap<string, string> {
  if (bytes.length > challengeBytesMax) refuse(`it has ${bytes.length} bytes`)
  const text = Buffer.from(bytes).toString('utf8')
  const directives = new Map<string, string>()
  const directive = /[\s,]*([^\s=",]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?=,|$)/suy
  while (/[^\s,]/.test(text.slice(directive.lastIndex))) {
    const [, name, inQuotes, token = ''] = directive.exec(text) ?? refuse('it is malformed')
    const key = name!.toLowerCase()
    if (!directives.has(key)) directives.set(key, inQuotes?.replace(/\\(.)/gsu, '$1') ?? token)
    else if (key !== 'realm') refuse(`it has two ${key}s`)
  }
  return directives
}

export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** Takes equally long whatever the difference, so that a proof cannot be guessed digit by digit. */
export function isSame(one: string, other: string): boolean {
  let difference = one.length ^ other.length
  for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i)
  return difference === 0
}

/** What is hashed is latin1 where that is possible, and UTF-8 elsewhere, each part for itself. */
function octets(text: string): string {
  return !/[^\u{0}-\u{ff}]/u.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

function refuse(fault: string): never {
  throw new ProtocolError(`the SASL challenge is wrong: ${fault}`)
}
