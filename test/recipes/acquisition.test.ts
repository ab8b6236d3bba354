import { expect, test } from 'vitest'
import { type ZooKeeper } from '../../src/index.ts'
import { Lock } from '../../src/recipes/index.ts'
import { type Fault, type RequestFault, TestServer } from '../../src/testing/index.ts'
import { errorOf, openAt } from '../support/servers.ts'

// An acquisition is a handful of requests. Whatever happens at whichever of them, the contender gets
// the lock or learns why not, and leaves no znode behind that its session does not need.

/** What is sent if nobody is in the way. Behind a holder it is two more. */
const requests = ['create2', 'getChildren2', 'setData', 'getData']
/** Later steps strike the release, or nothing. */
const steps = Array.from({ length: 8 }, (_, i) => i)
const faults = ['drop-request', 'drop-reply'] as const

test('an acquisition sends the requests that are disturbed below', async () => {
  await using scene = await Scene.open()
  await scene.lock.acquire()
  const asked = scene.server.log.filter(({ sessionId }) => sessionId === scene.zk.session.id)
  expect(asked.map(({ operation }) => operation)).toEqual(['createSession', ...requests])
})

for (const fault of faults) {
  test.each(steps)(`${fault} at request %i: the lock is acquired, with one znode`, async (step) => {
    await using scene = await Scene.open()
    scene.disturb(step, { do: fault })
    const held = await scene.lock.acquire()
    expect(scene.contenders).toBe(1)
    expect(held.isHeld).toBe(true)
    await held.release()
    expect(scene.contenders).toBe(0)
    scene.expectDisturbed(step)
  })

  test.each(steps)(`${fault} at request %i behind a holder: the place is kept`, async (step) => {
    await using scene = await Scene.open()
    const holder = await openAt(scene.server.connectString)
    const first = await new Lock(holder, '/lock').acquire()
    scene.disturb(step, { do: fault })
    const next = scene.lock.acquire()
    await first.release()
    const held = await next
    expect(held.fencingToken).toBeGreaterThan(first.fencingToken)
    expect(scene.contenders).toBe(1)
    await held.release()
    expect(scene.contenders).toBe(0)
    scene.expectDisturbed(step)
  })
}

for (const [title, fault] of [
  ['an abort at request %i leaves no znode behind', 'pass'],
  ['an abort while the reply to request %i is lost leaves no znode', 'drop-reply'],
] as const) {
  test.each(steps)(title, async (step) => {
    await using scene = await Scene.open()
    const signal = scene.abortAt(step, { do: fault })
    const outcome = await scene.lock.acquire({ signal }).catch((error: unknown) => error)
    await scene.release(outcome)
    await scene.untilEmpty()
    scene.expectDisturbed(step)
  })
}

test.each(steps)(
  'an expiry at request %i: the lock is acquired by the next session',
  async (step) => {
    await using scene = await Scene.open()
    scene.disturb(step, { do: 'expire' })
    const held = await scene.lock.acquire()
    // At the steps behind the last request nothing has expired.
    expect(scene.server.sessions.map(({ ephemerals }) => ephemerals)).toContainEqual([held.path])
    expect(held.isHeld).toBe(true)
    await held.release()
    expect(scene.contenders).toBe(0)
    scene.expectDisturbed(step)
  },
)

test('a timeout while there is no link leaves no znode behind', async () => {
  await using scene = await Scene.open()
  await scene.server.stop()
  await scene.zk.waitFor('suspended')
  expect(await errorOf(scene.lock.acquire({ timeout: 20 }))).toMatchObject({ code: 'TIMEOUT' })
  await scene.server.resume()
  await scene.zk.waitFor('connected')
  await scene.untilEmpty()
})

test('tryAcquire that loses leaves no znode, even if its clean-up is cut off', async () => {
  await using scene = await Scene.open()
  const holder = await openAt(scene.server.connectString)
  const held = await new Lock(holder, '/lock').acquire()
  const fault = scene.server.faults.add({ do: 'drop-request', operation: 'delete' })
  expect(await scene.lock.tryAcquire()).toBeNull()
  expect([fault.hits, scene.contenders]).toEqual([1, 1])
  await held.release()
})

test('a znode of that name which another session owns is removed, not adopted', async () => {
  await using scene = await Scene.open()
  const { server, zk } = scene
  const helper = await openAt(server.connectString)
  // The create is applied and its reply lost; then the session expires, before the client can look.
  const lost = scene.disturb(0, { do: 'drop-reply' })
  const blind = server.faults.add({ do: 'drop-request', operation: 'sync', times: Infinity })
  const acquiring = scene.lock.acquire()
  await lost.struck
  const [orphan] = server.sessions.flatMap(({ ephemerals }) => ephemerals)
  await server.expire(zk.session.id)
  await zk.waitFor('expired')
  // What it finds when it can look is the same name in the hands of somebody else.
  await helper.create(orphan!, '', { mode: 'ephemeral' })
  blind.remove()
  const held = await acquiring
  expect(held.path).not.toBe(orphan)
  expect(await helper.exists(orphan!)).toBeNull()
  await held.release()
})

/** A server whose network can be made to fail, and a client that wants a lock. */
class Scene implements AsyncDisposable {
  readonly server: TestServer
  readonly zk: ZooKeeper
  readonly lock: Lock
  #fault: Fault | null = null

  private constructor(server: TestServer, zk: ZooKeeper) {
    this.server = server
    this.zk = zk
    this.lock = new Lock(zk, '/lock')
  }

  static async open(): Promise<Scene> {
    const server = await TestServer.start({ tree: { '/lock': '' } })
    return new Scene(server, await openAt(server.connectString))
  }

  /** Lets something happen to the client's request number `step`, from 0. */
  disturb(step: number, fault: RequestFault): Fault {
    const { id } = this.zk.session
    this.#fault = this.server.faults.add({ ...fault, session: id, nth: step + 1 })
    return this.#fault
  }

  expectDisturbed(step: number): void {
    if (step < requests.length) expect(this.#fault?.hits).toBe(1)
  }

  /** Aborts when that request has come in, and its reply is lost or on its way. */
  abortAt(step: number, fault: RequestFault): AbortSignal {
    const abort = new AbortController()
    const { struck } = this.disturb(step, fault)
    struck.then(
      () => abort.abort('enough'),
      () => undefined, // there is no such request
    )
    return abort.signal
  }

  get contenders(): number {
    return this.server.get('/lock')?.stat.numChildren ?? 0
  }

  async release(outcome: unknown): Promise<void> {
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'ABORTED' })
    else await (outcome as AsyncDisposable)[Symbol.asyncDispose]()
  }

  async untilEmpty(): Promise<void> {
    await this.server.until(() => this.contenders === 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.zk.close()
    await this.server.close()
  }
}
