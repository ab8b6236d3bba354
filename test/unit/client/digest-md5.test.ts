import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { digestMd5 } from '../../../src/client/digest-md5.ts'
import { proofsOf, readDirectives, saslServiceUri } from '../../../src/protocol/digest-md5.ts'

const bob = { mechanism: 'DIGEST-MD5', username: 'bob', password: 'bobsecret' } as const
const server = { name: 'zk1', port: 2181 }
const challenge = Buffer.from('realm="r",nonce="n",charset=utf-8,algorithm=md5-sess')

/** What the server that asked the challenge says to the answer, if it knows this password. */
function proofOf(answer: Uint8Array, password: string): Buffer {
  const cnonce = readDirectives(answer).get('cnonce')!
  const inputs = { ...bob, password, realm: 'r', nonce: 'n', cnonce, digestUri: saslServiceUri }
  const { rspauth } = proofsOf(inputs, (bytes) => createHash('md5').update(bytes).digest())
  return Buffer.from(`rspauth=${rspauth}`)
}

async function begin() {
  let uuids = 0
  const exchange = await digestMd5(bob, () => `uuid ${++uuids}`).begin(server)
  const answer = (await exchange.evaluate(challenge))!
  return { exchange, answer }
}

describe('DIGEST-MD5', () => {
  test('begins with an empty token, and is content when the server has proved itself', async () => {
    const { exchange, answer } = await begin()
    expect(exchange.initialResponse).toHaveLength(0)
    expect(await exchange.evaluate(proofOf(answer, bob.password))).toBeNull()
  })

  test.each([
    ['does not know the password', (answer: Uint8Array) => proofOf(answer, 'guess')],
    ['repeats the answer', (answer: Uint8Array) => answer],
    ['gives no proof', () => null],
  ])('refuses a server that %s', async (_, last) => {
    const { exchange, answer } = await begin()
    expect(() => exchange.evaluate(last(answer))).toThrow(
      expect.objectContaining({ code: 'AUTH_FAILED', message: expect.stringMatching(/proved/) }),
    )
  })

  test('refuses a server that takes no part in it', async () => {
    const exchange = await digestMd5(bob, () => 'uuid').begin(server)
    expect(() => exchange.evaluate(null)).toThrow(
      expect.objectContaining({
        code: 'AUTH_FAILED',
        message: expect.stringMatching(/does not take part/),
      }),
    )
  })

  test('takes another nonce of its own on each connection', async () => {
    let uuids = 0
    const mechanism = digestMd5(bob, () => `uuid ${++uuids}`)
    const answers = [await mechanism.begin(server), await mechanism.begin(server)].map(
      async (exchange) => readDirectives((await exchange.evaluate(challenge))!).get('cnonce'),
    )
    expect(await Promise.all(answers)).toEqual(['uuid 1', 'uuid 2'])
  })

  test('is printed without the password', async () => {
    const { exchange } = await begin()
    const mechanism = digestMd5(bob, () => 'uuid')
    const printed = inspect([mechanism, exchange], { depth: Infinity, showHidden: true })
    expect(printed).not.toContain('secret')
  })
})
