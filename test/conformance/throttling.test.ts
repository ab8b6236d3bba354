/** What a client sees of a server that throttles, on the in-process server and on the real one. */
import { expect, test } from 'vitest'
import { type Operation, operations } from '../../src/protocol/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { ZooKeeperServer } from '../support/zookeeper-server.ts'
import { openAcl, RawClient } from '../unit/testing/raw-client.ts'

const { create2, getData, setData } = operations
const throttledOp = -127
const headerBytes = 16
const znode = { path: '/a', data: null, acl: openAcl, flags: 0 }

/** Asks for far more at once than a server that throttles is willing to do. */
async function crowd(port: number): Promise<{ readonly done: number; readonly throttled: number }> {
  await using client = await RawClient.connect(port)
  const { zxid: zxidBefore } = await callUntilDone(client, create2, znode)
  const requests = 500
  for (let i = 0; i < requests; i++)
    client.request(setData, { path: '/a', data: null, version: -1 })
  let throttled = 0
  let zxid = zxidBefore
  for (let i = 0; i < requests; i++) {
    const reply = await client.takeReply(setData)
    if (reply.err === 0) zxid++
    else throttled++
    // A throttled request has spent no zxid, and its reply ends behind the header.
    if (reply.err !== 0) expect(reply).toMatchObject({ err: throttledOp })
    if (reply.err !== 0) expect(reply.bytes).toHaveLength(headerBytes)
    expect(reply.zxid).toBe(zxid)
  }
  const { response } = await callUntilDone(client, getData, { path: '/a', watch: false })
  return { done: response!.stat.version, throttled }
}

/** A server that throttles may do so with any request. */
async function callUntilDone<Q, A>(client: RawClient, operation: Operation<Q, A>, request: Q) {
  for (;;) {
    const reply = await client.call(operation, request)
    if (reply.err !== throttledOp) return reply
  }
}

test('a throttled request is not carried out [in-process server]', async () => {
  await using server = await TestServer.start()
  const plan = { do: 'fail', code: 'THROTTLED_OP', operation: 'setData' } as const
  server.faults.add({ ...plan, times: Infinity, chance: 0.3, seed: 1 })
  const { done, throttled } = await crowd(server.port)
  expect([done + throttled, throttled > 0, done > 0]).toEqual([500, true, true])
})

describeReal('a throttled request', ({ version }) => {
  const knowsIt = !/^3\.[56]\./.test(version)
  if (!knowsIt) console.warn(`skipped: throttled operations, which a ${version} does not have`)
  test.runIf(knowsIt)('is not carried out', async () => {
    const busy = {
      'zookeeper.request_throttle_max_requests': 1,
      'zookeeper.request_throttle_stall_time': 5,
      'zookeeper.throttled_op_wait_time': 1,
    }
    await using server = await ZooKeeperServer.start({ jvmProperties: busy })
    const { done, throttled } = await crowd(server.port)
    expect([done + throttled, throttled > 0]).toEqual([500, true])
  })
})
