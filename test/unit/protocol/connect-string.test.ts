import { describe, expect, test } from 'vitest'
import {
  type ConnectString,
  formatHost,
  parseConnectString,
} from '../../../src/protocol/connect-string.ts'

describe('parseConnectString', () => {
  test.for<[text: string, expected: ConnectString]>([
    ['zk1', parsed('zk1:2181')],
    ['zk1:2182', parsed('zk1:2182')],
    ['10.0.0.1:1,10.0.0.2:65535', parsed('10.0.0.1:1', '10.0.0.2:65535')],
    ['  zk1 , zk2:2182\t', parsed('zk1:2181', 'zk2:2182')],
    [',zk1,,zk2,', parsed('zk1:2181', 'zk2:2181')],
    ['[::1]', parsed('[::1]:2181')],
    ['[::1]:2182,[fe80::1%eth0]:1', parsed('[::1]:2182', '[fe80::1%eth0]:1')],
    ['zk1/', parsed('zk1:2181')],
    ['zk1/app', { ...parsed('zk1:2181'), chroot: '/app' }],
    ['zk1,zk2:1/app/sub', { ...parsed('zk1:2181', 'zk2:1'), chroot: '/app/sub' }],
    ['[::1]/app', { ...parsed('[::1]:2181'), chroot: '/app' }],
    ['zk://zk1', parsed('zk1:2181')],
    ['ZKS://zk1:2182,zk2/app', { ...parsed('zk1:2182', 'zk2:2181'), tls: true, chroot: '/app' }],
  ])('understands %j', ([text, expected]) => {
    expect(parseConnectString(text)).toEqual(expected)
  })

  test.for([
    ['', 'it names no host'],
    [' ,, ', 'it names no host'],
    ['/app', 'it names no host'],
    ['zks://', 'it names no host'],
    ['http://zk1', 'the scheme "http" is none of zk, zks, dns-srv'],
    ['://zk1', 'the scheme "" is none of zk, zks, dns-srv'],
    ['zk1:', 'the port of "zk1:" is not within 1 and 65535'],
    ['zk1:0', 'the port of "zk1:0" is not within 1 and 65535'],
    ['zk1:65536', 'the port of "zk1:65536" is not within 1 and 65535'],
    ['zk1:port', 'the port of "zk1:port" is not within 1 and 65535'],
    ['zk1:-1', 'the port of "zk1:-1" is not within 1 and 65535'],
    ['zk1: 1', 'the port of "zk1: 1" is not within 1 and 65535'],
    ['zk1:0x50', 'the port of "zk1:0x50" is not within 1 and 65535'],
    ['[::1]:', 'the port of "[::1]:" is not within 1 and 65535'],
    ['[::1]:99999', 'the port of "[::1]:99999" is not within 1 and 65535'],
    [':2181', '":2181" has no host name'],
    ['zk1 zk2', '"zk1 zk2" has no host name'],
    ['::1', '"::1" has several colons; write IPv6 addresses as [address]:port'],
    ['zk1:1:2', '"zk1:1:2" has several colons; write IPv6 addresses as [address]:port'],
    ['[]', '"[]" is no [address]:port'],
    ['[::1', '"[::1" is no [address]:port'],
    ['[::1]2181', '"[::1]2181" is no [address]:port'],
    ['[::1 ::2]', '"[::1 ::2]" is no [address]:port'],
  ] as const)('refuses %j: %s', ([text, fault]) => {
    expect(() => parseConnectString(text)).toThrow(
      expect.objectContaining({
        code: 'BAD_CONNECT_STRING',
        message: `the connect string is wrong: ${fault} (BAD_CONNECT_STRING)`,
      }),
    )
  })

  test.for(['zk1//', 'zk1/app/', 'zk1/app//sub', 'zk1/a/../b', 'zk1/app,zk2/'])(
    'refuses the chroot of %j',
    (text) => {
      expect(() => parseConnectString(text)).toThrow(
        expect.objectContaining({ code: 'BAD_ARGUMENTS', path: text.slice(3) }),
      )
    },
  )

  test.for<unknown>([undefined, null, 7, ['zk1']])('refuses %o, which is no string', (value) => {
    expect(() => parseConnectString(value as string)).toThrow(
      expect.objectContaining({ code: 'BAD_CONNECT_STRING' }),
    )
  })
})

test.for([
  ['dns-srv://_zookeeper._tcp.example.com', '_zookeeper._tcp.example.com', ''],
  ['dns-srv://_zookeeper._tcp.example.com./', '_zookeeper._tcp.example.com.', ''],
  [' DNS-SRV://zk.example.com/app/sub ', 'zk.example.com', '/app/sub'],
])('"%s" names a service', ([text, service, chroot]) => {
  expect(parseConnectString(text!)).toEqual({ hosts: [], service, chroot, tls: false })
})

test.for([
  'dns-srv://',
  'dns-srv:///app',
  'dns-srv://zk.example.com:2181',
  'dns-srv://zk1.example.com,zk2.example.com',
  'dns-srv://[::1]',
  'dns-srv://zk example',
  'dns-srv://zk.example.com/a//b',
])('"%s" names none, and is refused', (text) => {
  expect(() => parseConnectString(text)).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^BAD_/) as string }) as Error,
  )
})

test.for(['zk1:2181', '10.0.0.1:1', '[::1]:2182'])('%s is formatted as it is written', (text) => {
  expect(parseConnectString(text).hosts.map(formatHost)).toEqual([text])
})

function parsed(...hosts: readonly string[]): ConnectString {
  const split = hosts.map((host) => {
    const colonAt = host.lastIndexOf(':')
    const name = host.slice(0, colonAt).replaceAll(/[[\]]/g, '')
    return { name, port: Number(host.slice(colonAt + 1)) }
  })
  return { hosts: split, service: null, chroot: '', tls: false }
}
