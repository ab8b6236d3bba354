import { expect, test } from 'vitest'
import { TestServer } from '../../src/testing/index.ts'
import { openAt } from '../support/servers.ts'

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
