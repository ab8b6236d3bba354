import { expect, test } from 'vitest'
import { connect } from 'zoowire'
import { TestEnsemble } from 'zoowire/testing'

test('a reader at a follower that lags sees old data, unless it asks for a sync', async () => {
  const ensemble = await TestEnsemble.start({ tree: { '/config': 'old' } })
  const follower = ensemble.followers[0]!
  const reader = await connect(follower.address)
  const writer = await connect(ensemble.leader!.address)

  follower.hold()
  await writer.setData('/config', 'new')
  expect(String((await reader.getData('/config')).data)).toBe('old')

  const synced = reader.getData('/config', { sync: true }) // waits in the follower
  follower.release()
  expect(String((await synced).data)).toBe('new')

  await Promise.all([reader.close(), writer.close()])
  await ensemble.close()
})

test('a write that its leader takes along is told as unknown, and did not happen', async () => {
  const ensemble = await TestEnsemble.start({ tree: { '/config': 'old' } })
  const zk = await connect(ensemble.leader!.address)

  for (const follower of ensemble.followers) follower.hold() // nobody else hears of it
  const write = zk.setData('/config', 'new')
  await ensemble.until(() => ensemble.outstanding === 1)
  await ensemble.leader!.stop()

  await expect(write).rejects.toMatchObject({ code: 'CONNECTION_LOSS', outcome: 'unknown' })
  expect(String(ensemble.get('/config')?.data)).toBe('old')
  await zk.close()
  await ensemble.close()
})
