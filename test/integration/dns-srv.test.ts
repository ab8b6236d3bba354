import { expect, onTestFinished, test } from 'vitest'
import { connect, type ConnectOptions, type StateChange, type ZooKeeper } from '../../src/index.ts'
import { TestEnsemble, TestServer } from '../../src/testing/index.ts'
import { Authority } from '../support/certificates.ts'
import { DnsServer } from '../support/dns-server.ts'
import { describeServers, errorOf, newChroot, openAt } from '../support/servers.ts'

const service = '_zookeeper._tcp.example.com'
const fast = { backoff: { msMin: 1, msMax: 5 } } as const

/** What the DNS says, as a test wants it. */
class Records {
  hosts: readonly { readonly name: string; readonly port: number }[] = []
  error: Error | null = null
  asked: string[] = []

  readonly lookupSrv = async (name: string) => {
    this.asked.push(name)
    if (this.error !== null) throw this.error
    return this.hosts
  }
}

/** Three members, of which the records name some. */
async function start(named: number, options: ConnectOptions = {}) {
  const ensemble = await TestEnsemble.start({ listen: false, tickTime: 50 })
  onTestFinished(() => ensemble.close())
  const all = ensemble.members.map(({ port }) => ({ name: 'zk.example.com', port }))
  const records = new Records()
  records.hosts = all.slice(0, named)
  const { lookupSrv } = records
  const zk = await openAt(`dns-srv://${service}`, {
    ...fast,
    dial: ensemble.dial,
    lookupSrv,
    srvRefreshInterval: 20,
    ...options,
  })
  return { ensemble, all, records, zk }
}

const portOf = ({ server }: ZooKeeper) => Number(server?.split(':')[1])

describeServers('dns-srv://', (server) => {
  test('names the servers and the chroot, by a DNS server', async () => {
    await using dns = await DnsServer.start()
    const [address, port] = server.connectString.split(':')
    dns.services.set(service, [{ name: 'zk1.example.com', port: Number(port) }])
    dns.addresses.set('zk1.example.com', address!)
    const resolver = dns.resolver()
    const chroot = await newChroot(server)
    const zk = await openAt(`dns-srv://${service}${chroot}`, {
      lookupSrv: (name) => resolver.resolveSrv(name),
      lookup: (name) => resolver.resolve4(name),
    })
    expect(zk.server).toBe(`zk1.example.com:${port}`)
    expect(dns.asked).toEqual([service, 'zk1.example.com'])
    await zk.create('/a')
    await using other = await connect(server.connectString)
    expect(await other.exists(`${chroot}/a`)).not.toBeNull()
  })
})

test('a client moves when the records name other servers, and its session with it', async () => {
  const { zk, records, all, ensemble } = await start(1)
  const { id } = zk.session
  expect(portOf(zk)).toBe(1)
  await zk.create('/e', '', { mode: 'ephemeral' })
  records.hosts = all.slice(1)
  await expect.poll(() => portOf(zk)).toBeGreaterThan(1)
  await zk.setData('/e', 'x')
  expect([zk.session.id, ensemble.sessions.length]).toEqual([id, 1])
})

test('records that say the same in another order move nobody', async () => {
  const { zk, records, all } = await start(3)
  const changes: StateChange[] = []
  void (async () => {
    for await (const change of zk.states()) changes.push(change)
  })()
  records.hosts = all.toReversed()
  const { length } = records.asked
  await expect.poll(() => records.asked.length).toBeGreaterThan(length + 3)
  expect(changes).toEqual([])
})

test('a look-up that fails, or names nobody, leaves the last list', async () => {
  const warnings: string[] = []
  const warn = (message: string) => warnings.push(message)
  const { zk, records, all, ensemble } = await start(2, {
    logger: { ...console, debug() {}, info() {}, warn, error() {} },
  })
  records.error = new Error('SERVFAIL')
  await expect.poll(() => warnings.length).toBeGreaterThan(1)
  const { id } = zk.session
  const other = portOf(zk) === 1 ? 2 : 1
  await ensemble.members[portOf(zk) - 1]!.stop()
  await expect.poll(() => portOf(zk)).toBe(other)
  records.error = null
  records.hosts = [
    { name: '.', port: 1 },
    { name: 'zk.example.com', port: 0 },
  ]
  warnings.length = 0
  await expect.poll(() => warnings.length).toBeGreaterThan(1)
  expect(warnings[0]).toContain(service)
  records.hosts = all.slice(2)
  await expect.poll(() => portOf(zk)).toBe(3)
  expect(zk.session.id).toBe(id)
})

test('the records are looked at when the connection is lost, not only by the clock', async () => {
  const { zk, records, all, ensemble } = await start(1, { srvRefreshInterval: Infinity })
  records.hosts = all.slice(1)
  await ensemble.members[0]!.stop()
  await expect.poll(() => portOf(zk)).toBeGreaterThan(1)
  expect(records.asked).toHaveLength(2)
})

test('connect() waits for records that come late', async () => {
  await using server = await TestServer.start({ listen: false })
  const records = new Records()
  records.error = new Error('ENOTFOUND')
  const { lookupSrv } = records
  const connecting = connect(`dns-srv://${service}`, { ...fast, dial: server.dial, lookupSrv })
  await expect.poll(() => records.asked.length).toBeGreaterThan(3)
  records.error = null
  records.hosts = [{ name: 'zk1.example.com.', port: 2181 }]
  const zk = await connecting
  expect(zk.server).toBe('zk1.example.com:2181')
  await zk.close()
  const { length } = records.asked
  await new Promise((resolve) => setImmediate(resolve))
  expect(records.asked).toHaveLength(length)
})

test('connect() rejects at its deadline with what the look-up said, and looks no more', async () => {
  const records = new Records()
  records.error = new Error('ENOTFOUND')
  const { lookupSrv } = records
  const options = { ...fast, lookupSrv, connectTimeout: 50 }
  const error = await errorOf(connect(`dns-srv://${service}`, options))
  expect(error).toMatchObject({ code: 'TIMEOUT', cause: { message: 'ENOTFOUND' } })
  expect((error as Error).message).toContain(`${service}: ENOTFOUND`)
  const { length } = records.asked
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(records.asked).toHaveLength(length)
})

test('no records at all are told as that', async () => {
  const options = { ...fast, lookupSrv: async () => [], connectTimeout: 50 }
  const error = (await errorOf(connect(`dns-srv://${service}`, options))) as Error
  expect((error.cause as Error).message).toMatch(/no SRV record/)
})

test('close() stops looking', async () => {
  const { zk, records } = await start(1, { srvRefreshInterval: 1 })
  await expect.poll(() => records.asked.length).toBeGreaterThan(3)
  await zk.close()
  const { length } = records.asked
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(records.asked.length - length).toBeLessThan(2) // one was under way
})

test('a look-up that fails behind close() is nobody’s business', async () => {
  const warnings: string[] = []
  const warn = (message: string) => warnings.push(message)
  let refuse = (_error: Error): void => {}
  let asked = 0
  const { zk } = await start(1, {
    logger: { ...console, debug() {}, info() {}, warn, error() {} },
    lookupSrv: async () => {
      if (++asked === 1) return [{ name: 'zk.example.com', port: 1 }]
      return new Promise<never>((_resolve, reject) => (refuse = reject))
    },
  })
  await expect.poll(() => asked).toBe(2)
  await zk.close()
  refuse(new Error('SERVFAIL'))
  await new Promise((resolve) => setImmediate(resolve))
  expect([warnings, asked]).toEqual([[], 2])
})

test('a certificate must be for the target of the record', async () => {
  const authority = await Authority.create()
  const identity = await authority.issue({ hosts: ['zk1.example.com'] })
  await using server = await TestServer.start({ tls: identity, listen: false })
  const records = new Records()
  const options = { ...fast, dial: server.dial, lookupSrv: records.lookupSrv }
  const secure = { ...options, tls: { ca: authority.cert } }
  records.hosts = [{ name: 'zk1.example.com', port: 2281 }]
  const zk = await connect(`dns-srv://${service}`, secure)
  await zk.close()
  records.hosts = [{ name: 'zk2.example.com', port: 2281 }]
  const refused = connect(`dns-srv://${service}`, { ...secure, connectTimeout: 200 })
  expect(((await errorOf(refused)) as Error).cause).toMatchObject({ code: 'TLS_FAILED' })
})

test.each<[string, ConnectOptions]>([
  ['another source of servers', { followConfig: true }],
  ['a password in clear to nobody knows whom', { auth: [{ scheme: 'digest', auth: 'u:p' }] }],
  ['an interval that is none', { srvRefreshInterval: 0 }],
])('%s is refused', async (_, options) => {
  const { lookupSrv } = new Records()
  const error = await errorOf(connect(`dns-srv://${service}`, { lookupSrv, ...options }))
  expect(error).toMatchObject({ code: 'BAD_ARGUMENTS' })
})

test('a password in clear is not sent where a later record leads', async () => {
  const { records, zk } = await start(1, { allowInsecureAuth: true })
  expect(portOf(zk)).toBe(1)
  await using server = await TestServer.start({ listen: false })
  const loopback = new Records()
  loopback.hosts = [{ name: 'localhost', port: 2181 }]
  const { lookupSrv } = loopback
  const other = await openAt(`dns-srv://${service}`, {
    dial: server.dial,
    lookupSrv,
    srvRefreshInterval: 5,
  })
  await other.addAuth('digest', 'user:secret')
  loopback.hosts = records.hosts
  const { length } = loopback.asked
  await expect.poll(() => loopback.asked.length).toBeGreaterThan(length + 2)
  expect(other.server).toBe('localhost:2181')
})

test('its list is not replaced by hand', async () => {
  const { zk } = await start(1)
  for (const list of ['zk9', `dns-srv://${service}`]) {
    expect(() => zk.updateServers(list)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENTS' }))
  }
  await using server = await TestServer.start()
  const plain = await openAt(server.connectString)
  const replace = () => plain.updateServers(`dns-srv://${service}`)
  expect(replace).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENTS' }))
})
