import { expect, test } from 'vitest'
import { connect, isZooKeeperError, type ZooKeeper } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { LinkProxy } from '../support/link-proxy.ts'
import { describeServers, errorOf, newChroot, openAt } from '../support/servers.ts'

const quick = { backoff: { msMin: 5, msMax: 50 } }

// D11: the session of a transaction ends while its reply is due.

test('D11: a multi that an expiry came before is not done, and its fate is unknown', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  server.faults.add({ do: 'expire', operation: 'multi' })
  const error = await errorOf(zk.multi().create('/a').create('/b').commit())
  expect(error).toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'unknown' })
  expect([...server.snapshot().keys()]).toEqual([])
  await zk.waitFor('expired')
  await zk.waitFor('connected') // another session, in which it was not sent again
  await zk.sync()
  expect([...server.snapshot().keys()]).toEqual([])
})

test('D11: one whose reply an expiry overtakes is done as a whole, once', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString, { sessionTimeout: 1_500 })
  const { id } = zk.session
  const fault = server.faults.add({ do: 'delay-reply', operation: 'multi', ms: 60_000 })
  const expired = zk.waitFor('expired')
  const error = errorOf(zk.multi().create('/a').create('/b').commit())
  await fault.struck
  await server.expire(id)
  expect(await error).toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'unknown' })
  await expired
  await zk.waitFor('connected')
  await zk.sync()
  expect([...server.snapshot().keys()]).toEqual(['/a', '/b'])
})

// Another client that has the session closes it while transactions are on their way.
describeServers('D11: of transactions that meet the end of their session', (server) => {
  test('each is done as a whole or not at all, as it was told', async () => {
    const chroot = await newChroot(server)
    const there = server.connectString + chroot
    await using wire = await LinkProxy.start(Number(server.connectString.split(':')[1]))
    const told: Promise<readonly [n: number, outcome: string]>[] = []
    for (let round = 0; round < 5; round++) {
      const session = await (await openAt(there)).exportSession()
      const zk = await openAt(wire.connectString + chroot, { ...quick, session })
      const suspended = zk.waitFor('suspended')
      wire.isDown = true // for new connections: the session shall not be taken back
      const ending = connect(there, { session }).then((other) => other.close())
      while (zk.state === 'connected') {
        told.push(outcomeOf(zk, told.length))
        await new Promise(setImmediate)
      }
      await Promise.all([ending, suspended])
      const expired = zk.waitFor('expired')
      wire.isDown = false
      await expired
    }
    const outcomes = await Promise.all(told)
    expect(outcomes.filter(([, outcome]) => outcome === 'unknown').length).toBeGreaterThan(0)
    const children = new Set((await (await openAt(there)).getChildren('/')).children)
    for (const [n, outcome] of outcomes) {
      const done = [`a${n}`, `b${n}`].filter((name) => children.has(name)).length
      const truths = { applied: [2], 'not-applied': [0], unknown: [0, 2] }[outcome]
      expect(truths, `${n} was told as ${outcome}`).toContain(done)
    }
  })
})

async function outcomeOf(zk: ZooKeeper, n: number) {
  try {
    await zk.multi().create(`/a${n}`).create(`/b${n}`).commit()
    return [n, 'applied'] as const
  } catch (error) {
    if (!isZooKeeperError(error)) throw error
    return [n, error.outcome] as const
  }
}
