import { expect, test } from 'vitest'
import { errorOf, openAt } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { type LoggedTransaction, readTransactionLog } from '../support/transaction-log.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'

// Tests under faults ask the log what became of a write, so the reader itself is tested on writes
// of which everything is known.

describeReal('the reader of the transaction log', () => {
  test('sees every write once, in order, with what it changed', async () => {
    await using server = await ZooKeeperServer.start()
    const zk = await openAt(server.connectString)
    const { path: sequential } = await zk.create('/s-', 'ä', { mode: 'ephemeral-sequential' })
    await zk.create('/container', null, { mode: 'container' })
    await zk.setData('/container', 'new')
    await zk.multi().create('/a', '1').setData('/a', '2').check('/a').delete('/a').commit()
    await zk.setACL('/container', [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }])

    const log = await logOf(server, zk.session.id)

    expect(log.map(({ changes }) => changes.map(inWords))).toEqual([
      [`create ${sequential} ä`],
      ['create /container null'],
      ['setData /container new'],
      ['create /a 1', 'setData /a 2', 'delete /a null'],
      ['setACL /container null'],
    ])
    const cxids = log.map(({ cxid }) => cxid)
    expect(cxids).toEqual(cxids.map((_, i) => cxids[0]! + i))
  })

  test('tells what was refused, and that it changed nothing', async () => {
    await using server = await ZooKeeperServer.start()
    const zk = await openAt(server.connectString)
    await zk.create('/a')
    await errorOf(zk.create('/a'))
    await errorOf(zk.multi().create('/b').delete('/missing').commit())

    const [, exists, multi] = await logOf(server, zk.session.id)

    expect(exists).toMatchObject({ type: -1, err: -110, changes: [] })
    expect(multi).toMatchObject({ changes: [] })
  })

  test('gives a transaction the zxid that the client was told', async () => {
    await using server = await ZooKeeperServer.start()
    const zk = await openAt(server.connectString)
    const { stat } = await zk.create('/a')
    const { mzxid } = await zk.setData('/a', 'x')

    const zxids = (await logOf(server, zk.session.id)).map(({ zxid }) => zxid)

    expect(zxids).toEqual([stat.czxid, mzxid])
  })

  test('reads on where a restarted server begins another file', async () => {
    await using server = await ZooKeeperServer.start()
    const zk = await openAt(server.connectString)
    await zk.create('/before')
    await server.kill()
    await server.restart()
    await zk.waitFor('connected')
    await zk.create('/after')

    const log = await logOf(server, zk.session.id)

    expect(log.flatMap(({ changes }) => changes.map(({ path }) => path))).toEqual([
      '/before',
      '/after',
    ])
  })
})

/** The requests of one session, without its beginning and end. */
async function logOf(server: ZooKeeperServer, sessionId: bigint): Promise<LoggedTransaction[]> {
  const log = await readTransactionLog(server.dataDir)
  return log.filter((entry) => entry.sessionId === sessionId && entry.type >= -1)
}

function inWords({ type, path, data }: LoggedTransaction['changes'][number]): string {
  return `${type} ${path} ${String(data)}`
}
