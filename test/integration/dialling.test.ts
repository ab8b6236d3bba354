import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, onTestFinished, test } from 'vitest'
import { type ChannelMessages, channels, connect } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { freePort } from '../support/free-port.ts'
import { openAt } from '../support/servers.ts'

// Which addresses are dialled, on real sockets.

const brisk = { sessionTimeout: 3_000, backoff: { msMin: 1, msMax: 20 } }

/** Notes each dial to one of these hosts as it begins; `enough` resolves after so many. */
function listenToDials(hosts: readonly string[], count: number) {
  const dials: string[] = []
  const enough = new Promise<void>((resolve) => {
    const listener = (message: unknown) => {
      const { trigger, server } = message as ChannelMessages['connection']
      if (trigger === 'dialled' && hosts.includes(server)) dials.push(server)
      if (dials.length >= count) resolve()
    }
    subscribe(channels.connection, listener)
    onTestFinished(() => {
      unsubscribe(channels.connection, listener)
    })
  })
  return { dials, enough }
}

test.each([
  ['refuses', '::1', 1],
  // Where there is a route to it, it swallows packets: the next dial begins with the other address.
  ['leads nowhere', '100::1', 2],
])(
  'R70: an IPv6 address that %s does not keep the IPv4 address from being reached',
  async (_, dead, lookups) => {
    await using server = await TestServer.start()
    const asked: string[] = []
    const lookup = async (name: string) => {
      asked.push(name)
      return [dead, '127.0.0.1']
    }
    const host = `zk.test:${server.port}`
    const zk = await openAt(host, { ...brisk, lookup })
    expect(zk.server).toBe(host)
    expect(asked.length).toBeLessThanOrEqual(lookups)
    server.cut(zk.session.id)
    await zk.waitFor('suspended')
    await zk.waitFor('connected')
    expect(await zk.exists('/')).not.toBeNull()
  },
)

test('R44: while all are down all are dialled, and the one that comes up within one round', async () => {
  const ports = [await freePort(), await freePort(), await freePort()]
  const hosts = ports.map((port) => `127.0.0.1:${port}`)
  for (const port of ports) {
    const { dials, enough } = listenToDials(hosts, 2 * hosts.length)
    const connecting = connect(hosts.join(), { ...brisk, connectTimeout: Infinity })
    await enough
    for (let at = 0; at + hosts.length <= dials.length; at++) {
      expect(new Set(dials.slice(at, at + hosts.length))).toEqual(new Set(hosts))
    }

    await using server = await TestServer.start({ port })
    const before = dials.length
    const zk = await connecting
    expect(zk.server).toBe(server.connectString)
    // One more may have been under way when the server came up.
    expect(dials.length - before).toBeLessThanOrEqual(hosts.length + 1)
    await zk.close()
  }
})
