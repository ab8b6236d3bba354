import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  answerChallenge,
  checkServerProof,
  isSame,
  type Md5,
  proofsOf,
  quoted,
  readDirectives,
} from '../../../src/protocol/digest-md5.ts'

const md5: Md5 = (bytes) => createHash('md5').update(bytes).digest()
const utf8 = (text: string) => Buffer.from(text, 'utf8')
const bob = { username: 'bob', password: 'bobsecret', cnonce: 'OA6MHXh6VqTrRk' }
const zookeeper = { realm: 'zk-sasl-md5', digestUri: 'zookeeper/zk-sasl-md5' }

describe('proofsOf', () => {
  test.each([
    [
      'RFC 2831, section 4, IMAP',
      {
        username: 'chris',
        password: 'secret',
        realm: 'elwood.innosoft.com',
        nonce: 'OA6MG9tEQGm2hh',
        cnonce: 'OA6MHXh6VqTrRk',
        digestUri: 'imap/elwood.innosoft.com',
      },
      'd388dad90d4bbd760a152321f2143af7',
      'ea40f60335c427b5527b84dbabcdfffd',
    ],
    [
      'RFC 2831, section 4, ACAP',
      {
        username: 'chris',
        password: 'secret',
        realm: 'elwood.innosoft.com',
        nonce: 'OA9BSXrbuRhWay',
        cnonce: 'OA9BSuZWMSpW8m',
        digestUri: 'acap/elwood.innosoft.com',
      },
      '6084c6db3fede7352c551284490fd0fc',
      '2f0b3d7c3c2e486600ef710726aa2eae',
    ],
    [
      'ZooKeeper',
      { ...bob, ...zookeeper, nonce: 'OA6MG9tEQGm2hh' },
      '1acdf23e810277429f758b6b5e9f454b',
      '1588935af5391c3ee31245ea533ccfa3',
    ],
    [
      'ZooKeeper, by Java 17, which says as whom it wants to act',
      {
        ...bob,
        ...zookeeper,
        nonce: 'NiwvdMzqRCa97lm6IKj9ruZfpvWYnRletuoCw5yL',
        cnonce: 'e/A4hjk0iQ2PhdqKOA++a8P8Dqs7SCnP0yQIzotO',
        authzid: 'bob',
      },
      '715b37cf5cf9c559110a0d3eb7a9ae88',
      '329d4695b6b61006eb05744dfce39ece',
    ],
  ])('are those of %s', (_, inputs, response, rspauth) => {
    expect(proofsOf(inputs, md5)).toEqual({ response, rspauth })
  })

  // Java's rule, for each part apart: latin1 if it can be, else UTF-8.
  test.each([
    ['sécret', Buffer.from('sécret', 'latin1')],
    ['пароль', Buffer.from('пароль', 'utf8')],
    ['€', Buffer.from('€', 'utf8')],
  ])('hash the password %s as %s', (password, bytes) => {
    const inputs = { ...bob, ...zookeeper, nonce: 'n' }
    const hashed: Buffer[] = []
    proofsOf({ ...inputs, password }, (given) => {
      hashed.push(Buffer.from(given))
      return md5(given)
    })
    expect(hashed[0]).toEqual(Buffer.concat([utf8('bob:zk-sasl-md5:'), bytes]))
  })
})

describe('answerChallenge', () => {
  const challenge = 'realm="zk-sasl-md5",nonce="OA6MG9tEQGm2hh",charset=utf-8,algorithm=md5-sess'

  test('answers what a ZooKeeper server asks', () => {
    const { token, rspauth } = answerChallenge(utf8(challenge), bob, md5)
    expect(Object.fromEntries(readDirectives(token))).toEqual({
      charset: 'utf-8',
      username: 'bob',
      realm: 'zk-sasl-md5',
      nonce: 'OA6MG9tEQGm2hh',
      nc: '00000001',
      cnonce: 'OA6MHXh6VqTrRk',
      'digest-uri': 'zookeeper/zk-sasl-md5',
      response: '1acdf23e810277429f758b6b5e9f454b',
      qop: 'auth',
    })
    expect(rspauth).toBe('1588935af5391c3ee31245ea533ccfa3')
  })

  test('quotes what would end its quotes', () => {
    const username = 'b"o\\b,x="y'
    const { token } = answerChallenge(utf8(challenge), { ...bob, username }, md5)
    expect(Buffer.from(token).toString()).toContain('username="b\\"o\\\\b,x=\\"y",')
    expect(readDirectives(token).get('username')).toBe(username)
  })

  test.each([
    ['among others', `${challenge},qop="auth-int, auth",maxbuf=65536,cipher="rc4"`],
    ['alone', `${challenge},qop=auth`],
  ])('takes plain authentication that is offered %s', (_, text) => {
    const { rspauth } = answerChallenge(utf8(text), bob, md5)
    expect(rspauth).toBe('1588935af5391c3ee31245ea533ccfa3')
  })

  test('says an empty realm to a server that names none', () => {
    const { token } = answerChallenge(utf8('nonce=n,algorithm=md5-sess'), bob, md5)
    expect(readDirectives(token).get('realm')).toBe('')
  })

  test.each([
    ['without a nonce', 'realm="r",algorithm=md5-sess', /it has no nonce/],
    ['of another algorithm', 'nonce=n,algorithm=md5', /algorithm is not md5-sess/],
    ['without an algorithm', 'nonce=n', /algorithm is not md5-sess/],
    ['that demands a layer', `${challenge},qop="auth-conf"`, /it demands "auth-conf"/],
    ['with two nonces', `${challenge},nonce="other"`, /it has two nonces/],
    ['that is none', 'HTTP/1.1 400 Bad Request', /it is malformed/],
    ['without a value', 'nonce=,algorithm=md5-sess', /it is malformed/],
    ['whose quotes do not end', 'nonce="n,algorithm=md5-sess', /it is malformed/],
    ['with something behind the quotes', 'nonce="n"x', /it is malformed/],
    ['of three kilobytes', `nonce="${'n'.repeat(3_000)}"`, /it has 3008 bytes/],
  ])('refuses a challenge %s', (_, text, message) => {
    const answer = () => answerChallenge(utf8(text), bob, md5)
    expect(answer).toThrow(expect.objectContaining({ code: 'PROTOCOL_ERROR' }))
    expect(answer).toThrow(message)
  })
})

describe('readDirectives', () => {
  test('reads tokens, quotes, spaces and empty places', () => {
    const directives = readDirectives(utf8(' ,a=1 , B = "x, \\"y\\" = \\\\",,c=é, '))
    expect(Object.fromEntries(directives)).toEqual({ a: '1', b: 'x, "y" = \\', c: 'é' })
  })

  test('reads nothing in nothing', () => {
    expect(readDirectives(utf8(' , ,')).size).toBe(0)
  })

  test('takes the first of several realms', () => {
    expect(readDirectives(utf8('realm=a,realm=b')).get('realm')).toBe('a')
  })

  test('is not confused by names that objects have', () => {
    expect(readDirectives(utf8('__proto__=a')).get('constructor')).toBeUndefined()
  })

  test('reads back what was quoted', () => {
    for (const text of ['', 'plain', '"', '\\', 'a\\"b', '日本, =']) {
      expect(readDirectives(utf8(`x=${quoted(text)}`)).get('x')).toBe(text)
    }
  })
})

describe('checkServerProof', () => {
  const rspauth = '1588935af5391c3ee31245ea533ccfa3'

  test('is content with the proof that is owed', () => {
    expect(() => checkServerProof(utf8(`rspauth=${rspauth}`), rspauth)).not.toThrow()
  })

  test.each([
    ['another proof', `rspauth=${rspauth.replace('1', '2')}`],
    ['the beginning of it', `rspauth=${rspauth.slice(0, 31)}`],
    ['more than it', `rspauth=${rspauth}0`],
    ['no proof', 'stale=true'],
    ['nothing', ''],
  ])('refuses a server that comes with %s', (_, text) => {
    expect(() => checkServerProof(utf8(text), rspauth)).toThrow(
      expect.objectContaining({ code: 'AUTH_FAILED' }),
    )
  })

  test('isSame compares lengths and every character', () => {
    expect(isSame('', '')).toBe(true)
    expect(isSame('ab', 'ab')).toBe(true)
    expect(isSame('ab', 'abc')).toBe(false)
    expect(isSame('abc', 'ab')).toBe(false)
    expect(isSame('ab', 'ac')).toBe(false)
  })
})
