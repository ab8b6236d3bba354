import { describe, expect, test } from 'vitest'
import { clientHostsOf } from '../../../src/client/config-follower.ts'
import { parseEnsembleConfig } from '../../../src/protocol/ensemble-config.ts'

const hostsIn = (text: string, isTls = false) => clientHostsOf(parseEnsembleConfig(text), isTls)

describe('where clients reach the servers of an ensemble', () => {
  test('is what the configuration says', () => {
    const text =
      'server.1=zk1:2888:3888:participant;10.0.0.1:2181\n' +
      'server.2=zk2:2888:3888:observer;[fd00::2]:2182\nversion=100000000'
    expect(hostsIn(text)).toEqual({
      hosts: [
        { name: '10.0.0.1', port: 2181 },
        { name: 'fd00::2', port: 2182 },
      ],
      doubts: [],
    })
  })

  test.each(['0.0.0.0:2181', '[::]:2181', '[0:0:0:0:0:0:0:0]:2181', '*:2181', '2181'])(
    'is where the other servers reach it, if it listens at %s',
    (client) => {
      const { hosts } = hostsIn(`server.1=zk1:2888:3888:participant;${client}`)
      expect(hosts).toEqual([{ name: 'zk1', port: 2181 }])
    },
  )

  test('is the TLS port for clients with TLS', () => {
    const text = 'server.1=zk1:2888:3888:participant;zk1:2181;zk1:2281'
    expect(hostsIn(text, true).hosts).toEqual([{ name: 'zk1', port: 2281 }])
  })

  test.each([
    ['no port', 'server.7=zk7:2888:3888:participant', false, 'names no port'],
    ['no TLS port', 'server.7=zk7:2888:3888:participant;2181', true, 'names no TLS port'],
    ['no address', 'server.7=0.0.0.0:2888:3888:participant;2181', false, 'names no address'],
  ])('is left out, with a word, for a server with %s', (_, line, isTls, doubt) => {
    const { hosts, doubts } = hostsIn(`${line}\nserver.8=zk8:1:2;zk8:2181;zk8:2281`, isTls)
    expect(hosts.map(({ name }) => name)).toEqual(['zk8'])
    expect(doubts).toEqual([expect.stringMatching(`server.7 ${doubt}`)])
  })
})
