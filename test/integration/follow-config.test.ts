import { expect, test } from 'vitest'
import { TestServer } from '../../src/testing/index.ts'
import { Authority } from '../support/certificates.ts'
import { errorOf, openAt } from '../support/servers.ts'

// One server goes by two names here; `session-ensemble.test.ts` reconfigures a real ensemble.

const admin = [{ scheme: 'digest', auth: 'super:admin' }]
const superDigest = 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs='

function recorder() {
  const warnings: string[] = []
  const warn = (text: string) => {
    if (text.includes('configuration')) warnings.push(text)
  }
  const logger = { debug() {}, info() {}, error() {}, warn }
  return { warnings, logger }
}

test('a client moves as the configuration of the ensemble says, and keeps its chroot', async () => {
  await using server = await TestServer.start({ superDigest })
  const root = await openAt(server.connectString, { auth: admin })
  await root.create('/app')
  await root.create('/app/a', 'x')
  const { warnings, logger } = recorder()
  const zk = await openAt(`${server.connectString}/app`, { followConfig: true, logger })
  const { id } = zk.session

  const line = `server.1=localhost:2888:3888:participant;0.0.0.0:${server.port}`
  await root.setData('/zookeeper/config', `${line}\nversion=5`)
  await expect.poll(() => zk.server).toBe(`localhost:${server.port}`)
  await zk.waitFor('connected')
  expect(zk.session.id).toBe(id)
  expect((await zk.getData('/a')).data?.toString()).toBe('x')

  const again = `server.1=${server.connectString.replace(/:\d+$/, '')}:1:2;${server.port}`
  await root.setData('/zookeeper/config', `${again}\nversion=6`)
  await expect.poll(() => zk.server).toBe(server.connectString)
  // Standalone, at first: a list of nobody.
  expect(warnings).toEqual([expect.stringContaining('names no server')])
})

// Whoever may write the configuration must not thereby become a server that is believed.
test('a server that the configuration names must prove itself like any other', async () => {
  const authority = await Authority.create()
  const identity = await authority.issue({ hosts: ['localhost'] })
  await using server = await TestServer.start({ superDigest, tls: identity })
  const stranger = await Authority.create('A stranger')
  await using impostor = await TestServer.start({
    tls: await stranger.issue({ hosts: ['localhost'] }),
  })
  const tls = { ca: authority.cert }
  const connectString = `zks://localhost:${server.port}`
  const root = await openAt(connectString, { tls, auth: admin })
  const backoff = { msMin: 1, msMax: 1 }
  const zk = await openAt(connectString, {
    tls,
    followConfig: true,
    backoff,
    sessionTimeout: 1_000,
  })
  const changes = zk.states()

  const line = `server.1=localhost:2888:3888:participant;localhost:1;localhost:${impostor.port}`
  await root.setData('/zookeeper/config', `${line}\nversion=5`)
  expect((await changes.next()).value).toMatchObject({ state: 'suspended', reason: 'moved' })
  expect((await changes.next()).value).toMatchObject({ state: 'lost' })
  const failure = await errorOf(zk.exists('/', { timeout: 50 }))
  expect(failure).toMatchObject({ code: 'TIMEOUT', outcome: 'not-applied' })
  expect(impostor.log).toEqual([])
  expect(impostor.sessions).toEqual([])
  zk.updateServers(connectString)
  await zk.waitFor('connected')
}, 30_000)

test('a configuration that cannot be understood is told, and the list stays', async () => {
  await using server = await TestServer.start({ superDigest })
  const root = await openAt(server.connectString, { auth: admin })
  await root.setData('/zookeeper/config', 'server.1=nonsense')
  const { warnings, logger } = recorder()
  const zk = await openAt(server.connectString, { followConfig: true, logger })
  await expect.poll(() => warnings).toEqual([expect.stringContaining('not followed any more')])
  expect(zk.server).toBe(server.connectString)
})

test('a client that is closed follows no more, and says nothing of it', async () => {
  await using server = await TestServer.start({ superDigest })
  const { warnings, logger } = recorder()
  const zk = await openAt(server.connectString, { followConfig: true, logger })
  await expect.poll(() => warnings).toHaveLength(1)
  await zk.close()
  await new Promise((resolve) => setImmediate(resolve))
  expect(warnings).toHaveLength(1)
})
