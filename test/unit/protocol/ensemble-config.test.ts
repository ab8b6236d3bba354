import { describe, expect, test } from 'vitest'
import { parseEnsembleConfig } from '../../../src/protocol/ensemble-config.ts'

const address = { name: 'zk1', quorumPort: 2888, electionPort: 3888 }

describe('the configuration of an ensemble', () => {
  test('says who the members are and which version it is', () => {
    const text =
      'server.1=127.0.0.1:2888:3888:participant;127.0.0.1:2181\n' +
      'server.12=zk2:2889:3889:observer;0.0.0.0:2182\n' +
      'version=20000000a'
    expect(parseEnsembleConfig(text)).toEqual({
      version: 0x2_0000_000an,
      members: [
        {
          id: 1,
          role: 'participant',
          addresses: [{ name: '127.0.0.1', quorumPort: 2888, electionPort: 3888 }],
          client: { name: '127.0.0.1', port: 2181 },
          secureClient: null,
        },
        {
          id: 12,
          role: 'observer',
          addresses: [{ name: 'zk2', quorumPort: 2889, electionPort: 3889 }],
          client: { name: '0.0.0.0', port: 2182 },
          secureClient: null,
        },
      ],
    })
  })

  test('of a standalone server is empty', () => {
    expect(parseEnsembleConfig('')).toEqual({ members: [], version: 0n })
  })

  test.each([
    ['no role', 'zk1:2888:3888', {}],
    ['a role in capitals', 'zk1:2888:3888:OBSERVER', { role: 'observer' }],
    ['no client address', 'zk1:2888:3888:participant', { client: null }],
    ['a client port alone', 'zk1:2888:3888;2181', { client: { name: '0.0.0.0', port: 2181 } }],
    [
      'a TLS address alone',
      'zk1:2888:3888:participant;;zk1:2281',
      { client: null, secureClient: { name: 'zk1', port: 2281 } },
    ],
    [
      'several addresses',
      'zk1:2888:3888|zk1b:2889:3889:participant;2181',
      { addresses: [address, { name: 'zk1b', quorumPort: 2889, electionPort: 3889 }] },
    ],
    [
      'addresses of IPv6',
      '[::1]:2888:3888:participant;[fe80::1]:2181',
      {
        addresses: [{ ...address, name: '::1' }],
        client: { name: 'fe80::1', port: 2181 },
      },
    ],
  ])('may have %s', (_, text, expected) => {
    const { members } = parseEnsembleConfig(`server.3=${text}`)
    expect(members).toMatchObject([
      { id: 3, role: 'participant', addresses: [address], ...expected },
    ])
  })

  test('may have lines that say something else', () => {
    const text = 'group.1=1:2\r\nweight.1=1\n\n server.1=zk1:2888:3888;2181\nversion=5'
    expect(parseEnsembleConfig(text)).toMatchObject({ members: [{ id: 1 }], version: 5n })
  })

  test.each([
    'server.1=zk1',
    'server.1=zk1:a:b',
    'server.1=zk1:1:2;port',
    'version=0x5',
    'version=',
  ])('cannot be read with the line %j', (line) => {
    expect(() => parseEnsembleConfig(line)).toThrow(/PROTOCOL_ERROR/)
  })
})
