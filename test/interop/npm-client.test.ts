/** The other ZooKeeper client on npm that is pure JavaScript, on the in-process server. */
import zookeeper, {
  type Client,
  type Event,
  type Exception,
  type Stat,
} from 'node-zookeeper-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestServer } from '../../src/testing/index.ts'

let server: TestServer
let client: Client

beforeEach(async () => {
  server = await TestServer.start()
  client = zookeeper.createClient(server.connectString, { sessionTimeout: 5_000, spinDelay: 50 })
  await new Promise<void>((resolve) => {
    client.once('connected', resolve)
    client.connect()
  })
})

afterEach(async () => {
  client.close()
  await server.until(() => server.sessions.length === 0)
  await server.close()
})

/** A promise of what a method of the client hands to its callback. */
function called<A extends unknown[]>(
  method: (callback: (error: Error | Exception | null, ...results: A) => void) => void,
): Promise<A> {
  return new Promise((resolve, reject) => {
    method((error, ...results) => {
      if (!error) resolve(results)
      else reject(error instanceof Error ? error : new Error(String(error)))
    })
  })
}

async function create(path: string, mode = zookeeper.CreateMode.PERSISTENT): Promise<string> {
  const data = Buffer.from('one')
  const [created] = await called<[string]>((done) => client.create(path, data, mode, done))
  return created
}

async function getData(path: string, watcher: (event: Event) => void = ignore): Promise<string> {
  const [data] = await called<[Buffer, Stat]>((done) => client.getData(path, watcher, done))
  return data.toString()
}

async function setData(path: string, data: string, version = -1): Promise<Stat> {
  const bytes = Buffer.from(data)
  const [stat] = await called<[Stat]>((done) => client.setData(path, bytes, version, done))
  return stat
}

const ignore = () => undefined

test('node-zookeeper-client: create, read, write, versions, sequences', async () => {
  await create('/n')
  expect(await getData('/n')).toBe('one')
  expect((await setData('/n', 'two', 0)).version).toBe(1)
  await expect(setData('/n', 'no', 0)).rejects.toMatchObject({ name: 'BAD_VERSION' })
  expect(await create('/n/s-', zookeeper.CreateMode.EPHEMERAL_SEQUENTIAL)).toBe('/n/s-0000000000')
})

test('node-zookeeper-client: a watch', async () => {
  await create('/n')
  const event = new Promise<Event>((resolve) => {
    void getData('/n', resolve).then(() => setData('/n', 'two'))
  })
  expect((await event).getName()).toBe('NODE_DATA_CHANGED')
})

test('node-zookeeper-client: a transaction, whole or not at all', async () => {
  await create('/n')
  const commit = async (remove: string) => {
    const transaction = client.transaction().check('/n', 0).create('/n/t').remove(remove, -1)
    const [results] = await called<[unknown[]]>((done) => transaction.commit(done))
    return results
  }
  await expect(commit('/none')).rejects.toMatchObject({ name: 'NO_NODE' })
  expect(server.get('/n/t')).toBeNull()
  expect(await commit('/n/t')).toHaveLength(3)
})

test('node-zookeeper-client: a reconnect keeps the session and its watches', async () => {
  await create('/n')
  const session = server.sessions[0]!.id
  let onEvent: (event: Event) => void = () => undefined
  const event = new Promise<Event>((resolve) => {
    onEvent = resolve
  })
  await getData('/n', onEvent)
  const again = new Promise<void>((resolve) => client.once('connected', resolve))
  server.cut()
  await again
  await server.until(() => server.watches.data.length === 1)
  await setData('/n', 'two')
  expect((await event).getName()).toBe('NODE_DATA_CHANGED')
  expect(server.sessions).toMatchObject([{ id: session }])
})
