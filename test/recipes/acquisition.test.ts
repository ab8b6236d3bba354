import { expect, test } from 'vitest'
import { type ZooKeeper } from '../../src/index.ts'
import { Lock } from '../../src/recipes/index.ts'
import { type Interception, TestServer } from '../../src/testing/index.ts'
import { errorOf, openAt } from '../support/servers.ts'

// An acquisition is a handful of requests. Whatever happens at whichever of them, the contender gets
// the lock or learns why not, and leaves no znode behind that its session does not need.

/** More requests than an uncontended acquisition sends; later steps find nothing left to disturb. */
const steps = Array.from({ length: 8 }, (_, i) => i)
const faults = ['drop-request', 'drop-reply'] as const

for (const fault of faults) {
  test.each(steps)(`${fault} at request %i: the lock is acquired, with one znode`, async (step) => {
    await using scene = await Scene.open()
    scene.disturb(step, fault)
    const held = await scene.lock.acquire()
    expect(scene.contenders).toBe(1)
    expect(held.isHeld).toBe(true)
    await held.release()
    expect(scene.contenders).toBe(0)
  })

  test.each(steps)(`${fault} at request %i behind a holder: the place is kept`, async (step) => {
    await using scene = await Scene.open()
    const holder = await openAt(scene.server.connectString)
    const first = await new Lock(holder, '/lock').acquire()
    scene.disturb(step, fault)
    const next = scene.lock.acquire()
    await first.release()
    const held = await next
    expect(held.fencingToken).toBeGreaterThan(first.fencingToken)
    expect(scene.contenders).toBe(1)
    await held.release()
    expect(scene.contenders).toBe(0)
  })
}

test.each(steps)('an abort at request %i leaves no znode behind', async (step) => {
  await using scene = await Scene.open()
  const abort = new AbortController()
  scene.at(step, () => {
    abort.abort('enough')
    return undefined
  })
  const outcome = await scene.lock
    .acquire({ signal: abort.signal })
    .catch((error: unknown) => error)
  await scene.release(outcome)
  await scene.untilEmpty()
})

test.each(steps)('an abort while the reply to request %i is lost leaves no znode', async (step) => {
  await using scene = await Scene.open()
  const abort = new AbortController()
  scene.at(step, () => {
    abort.abort('enough')
    return 'drop-reply'
  })
  const outcome = await scene.lock
    .acquire({ signal: abort.signal })
    .catch((error: unknown) => error)
  await scene.release(outcome)
  await scene.untilEmpty()
})

test.each(steps)(
  'an expiry at request %i: the lock is acquired by the next session',
  async (step) => {
    await using scene = await Scene.open()
    const { id } = scene.zk.session
    scene.at(step, () => {
      // The request is on its way to a session that ends before it arrives.
      void scene.server.expire(id)
      return 'drop-request'
    })
    const held = await scene.lock.acquire()
    // At the steps behind the last request nothing has expired.
    expect(scene.server.sessions.map(({ ephemerals }) => ephemerals)).toContainEqual([held.path])
    expect(held.isHeld).toBe(true)
    await held.release()
    expect(scene.contenders).toBe(0)
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
  scene.disturbOperation('delete', 'drop-request')
  expect(await scene.lock.tryAcquire()).toBeNull()
  expect(scene.contenders).toBe(1)
  await held.release()
})

test('a znode of that name which another session owns is removed, not adopted', async () => {
  await using scene = await Scene.open()
  const helper = await openAt(scene.server.connectString)
  // The create is applied and its reply lost; then the session expires, before the client can look.
  let orphan = ''
  scene.at(0, () => {
    queueMicrotask(() => {
      orphan = scene.server.sessions.flatMap(({ ephemerals }) => ephemerals)[0] ?? ''
      void scene.server.expire(scene.zk.session.id)
    })
    return 'drop-reply'
  })
  scene.isBlind = true
  const acquiring = scene.lock.acquire()
  await scene.zk.waitFor('expired')
  // What it finds when it can look is the same name in the hands of somebody else.
  await helper.create(orphan, '', { mode: 'ephemeral' })
  scene.isBlind = false
  const held = await acquiring
  expect(held.path).not.toBe(orphan)
  expect(await helper.exists(orphan)).toBeNull()
  await held.release()
})

/** A server whose network can be made to fail, and a client that wants a lock. */
class Scene implements AsyncDisposable {
  readonly server: TestServer
  readonly zk: ZooKeeper
  readonly lock: Lock
  readonly #hook: Hook

  private constructor(server: TestServer, zk: ZooKeeper, hook: Hook) {
    this.server = server
    this.zk = zk
    this.lock = new Lock(zk, '/lock')
    this.#hook = hook
  }

  static async open(): Promise<Scene> {
    const hook: Hook = { intercept: () => undefined, isBlind: false }
    let disturbed = 0n
    const server = await TestServer.start({
      intercept: ({ sessionId, operation }) => {
        if (hook.isBlind && operation === 'sync') return 'drop-request'
        const isDisturbed = sessionId === disturbed && operation !== 'ping'
        return isDisturbed ? hook.intercept(operation) : undefined
      },
    })
    const zk = await openAt(server.connectString)
    await zk.create('/lock')
    disturbed = zk.session.id
    return new Scene(server, zk, hook)
  }

  /** Does something when the client's request number `step`, from 0, has come in. */
  at(step: number, act: () => Interception | undefined): void {
    let count = 0
    this.#hook.intercept = () => (count++ === step ? act() : undefined)
  }

  disturb(step: number, fault: Interception): void {
    this.at(step, () => fault)
  }

  disturbOperation(name: string, fault: Interception): void {
    let isDone = false
    this.#hook.intercept = (operation) => {
      if (isDone || operation !== name) return undefined
      isDone = true
      return fault
    }
  }

  /** While it is set, nobody can look for traces: the sync in front of the look is dropped. */
  set isBlind(isBlind: boolean) {
    this.#hook.isBlind = isBlind
  }

  get contenders(): number {
    return this.server.get('/lock')?.stat.numChildren ?? 0
  }

  async release(outcome: unknown): Promise<void> {
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'ABORTED' })
    else await (outcome as AsyncDisposable)[Symbol.asyncDispose]()
  }

  /** Resolves when nobody stands in line. The test's timeout is the bound. */
  async untilEmpty(): Promise<void> {
    const observer = await openAt(this.server.connectString)
    const watch = observer.watch('/lock')
    await watch.ready
    while (this.contenders > 0) await watch.next()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.zk.close()
    await this.server.close()
  }
}

interface Hook {
  intercept: (operation: string) => Interception | undefined
  isBlind: boolean
}
