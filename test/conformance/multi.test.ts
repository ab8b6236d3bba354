import { expect, test } from 'vitest'
import { TransactionError } from '../../src/index.ts'
import { describeServers, errorOf, open, type Server } from '../support/servers.ts'

describeServers('multi', (server) => {
  test('applies all operations at one zxid and gives each its result', async () => {
    const zk = await open(server)
    await zk.create('/a', 'old')
    const [checked, created, stat, deleted] = await zk
      .multi()
      .check('/a', 0)
      .create('/a/s-', 'x', { mode: 'persistent-sequential' })
      .setData('/a', 'new')
      .delete('/a/s-0000000000')
      .commit()
    expect(checked).toBeUndefined()
    expect(created.path).toBe('/a/s-0000000000')
    if (tellsStats(server)) expect(created.stat?.czxid).toBe(stat.mzxid)
    else expect(created.stat).toBeNull()
    expect(stat).toMatchObject({ version: 1, dataLength: 3 })
    expect(deleted).toBeUndefined()
  })

  test('applies nothing if one operation fails, and says which', async () => {
    const zk = await open(server)
    await zk.create('/a')
    const error = await errorOf(zk.multi().create('/b').create('/a').setData('/a', 'x').commit())
    expect(error).toBeInstanceOf(TransactionError)
    expect(error).toMatchObject({
      code: 'NODE_EXISTS',
      path: '/a',
      index: 1,
      codes: [null, 'NODE_EXISTS', 'RUNTIME_INCONSISTENCY'],
      outcome: 'not-applied',
    })
    expect(await zk.exists('/b')).toBeNull()
  })

  test('creates containers and TTL znodes too', async () => {
    const zk = await open(server)
    const [box, short] = await zk
      .multi()
      .create('/box', '', { mode: 'container' })
      .create('/short', '', { mode: 'persistent-with-ttl', ttl: 60_000 })
      .commit()
    expect([box.path, short.path]).toEqual(['/box', '/short'])
  })

  test('an empty one resolves without asking a server', async () => {
    const zk = await open(server)
    await zk.close()
    expect(await zk.multi().commit()).toEqual([])
  })

  test('a bad argument is refused where it is given', async () => {
    const zk = await open(server)
    expect(() => zk.multi().create('relative')).toThrow(/starts with/)
  })
})

/** Inside a multi, older servers answer a create with its path alone: before 3.7.2, 3.8.2 and 3.9. */
function tellsStats({ version }: Server): boolean {
  const [, minor = 0, patch = 0] = version.split('.').map(Number)
  return minor >= 9 || (minor >= 7 && patch >= 2)
}
