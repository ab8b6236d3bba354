import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatHost, parseConnectString } from '../../src/protocol/connect-string.ts'
import { isZooKeeperError } from '../../src/protocol/errors.ts'
import { units } from './schema-arbitraries.ts'

const port = fc.integer({ min: 1, max: 65_535 })
const host = fc.record({
  name: fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
  port,
})
const chroot = fc.constantFrom('', '/app', '/app/sub')

/** Text made of what connect strings are made of, so that much of it is nearly right. */
const nearConnectString = fc
  .array(
    fc.constantFrom(
      'zk',
      'zks',
      'dns-srv',
      '://',
      ':',
      '/',
      ',',
      '[',
      ']',
      '::1',
      ' ',
      '2181',
      '0',
      '.',
    ),
  )
  .map((parts) => parts.join(''))

test('a connect string names the hosts it was made of, in order', () => {
  const hostList = fc.array(host, { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(hostList, chroot, fc.boolean(), (hosts, root, tls) => {
      const text = `${tls ? 'zks://' : ''}${hosts.map(formatHost).join(', ')}${root}`
      expect(parseConnectString(text)).toEqual({ hosts, service: null, chroot: root, tls })
    }),
  )
})

test('R71: any text is a connect string with hosts and ports, or refused with a reason', () => {
  fc.assert(
    fc.property(fc.oneof(nearConnectString, units), (text) => {
      try {
        const { hosts, service, chroot: root } = parseConnectString(text)
        expect(hosts.length > 0).toBe(service === null)
        expect(service ?? 'service').toMatch(/^[^\s,:/]+$/)
        for (const { name, port } of hosts) {
          expect(name).toMatch(/^[^\s,/]+$/)
          expect(port >= 1 && port <= 65_535).toBe(true)
        }
        expect(root === '' || root.startsWith('/')).toBe(true)
      } catch (error) {
        if (!isZooKeeperError(error)) throw error
        expect(['BAD_CONNECT_STRING', 'BAD_ARGUMENTS']).toContain(error.code)
      }
    }),
    { numRuns: 1_000 },
  )
})
