import { expect, test } from 'vitest'
import { TestServer } from '../../src/testing/index.ts'
import { openAt } from '../support/servers.ts'

test('C19: an expiry is told to calls, then as a state, then to watches', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString, {
    sessionTimeout: 1_500,
    backoff: { msMin: 5, msMax: 50 },
  })
  await zk.create('/a')
  const told: string[] = []
  const states = (async () => {
    for await (const { state } of zk.states()) told.push(`state ${state}`)
  })()
  const hear = (name: string) => (event: { readonly type: string }) => {
    told.push(`${name} ${event.type}`)
  }
  await zk.getData('/a', { watch: hear('getData') })
  await zk.getChildren('/a', { watch: hear('getChildren') })
  const persistent = zk.watch('/a')
  await persistent.ready
  const events = (async () => {
    for await (const event of persistent) hear('watch')(event)
  })()
  const fault = server.faults.add({ do: 'silence', operation: 'setData' }) // its reply is due
  const write = zk.setData('/a', 'x').catch(() => told.push('setData unknown'))
  await fault.struck
  await server.expire(zk.session.id)
  await write
  await zk.waitFor('expired')
  await zk.waitFor('connected')
  await zk.setData('/a', 'y')
  await zk.close()
  await Promise.all([states, events])
  expect(told).toEqual([
    'state suspended',
    'setData unknown',
    'state expired',
    'getData session-expired',
    'getChildren session-expired',
    'state connecting',
    'state connected',
    'watch resync',
    'watch NodeDataChanged',
    'state closed',
  ])
})
