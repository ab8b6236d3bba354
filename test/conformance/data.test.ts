import { expect, test } from 'vitest'
import { describeServers, errorOf, open } from '../support/servers.ts'

describeServers('data', (server) => {
  test.each([
    ['a string, as UTF-8', 'grüße', Buffer.from('grüße')],
    ['bytes', new Uint8Array([0, 255]), Buffer.from([0, 255])],
    ['nothing, as empty', undefined, Buffer.alloc(0)],
    ['the empty string', '', Buffer.alloc(0)],
    ['null, as null', null, null],
  ])('keeps %s', async (_, given, kept) => {
    const zk = await open(server)
    await zk.create('/a', given)
    expect((await zk.getData('/a')).data).toEqual(kept)
    await zk.setData('/a', 'else')
    await zk.setData('/a', given)
    expect((await zk.getData('/a')).data).toEqual(kept)
  })

  test('setData returns the new Stat', async () => {
    const zk = await open(server)
    const created = await zk.create('/a', 'one')
    const stat = await zk.setData('/a', 'three', { version: 0 })
    expect(stat).toMatchObject({ version: 1, dataLength: 5, czxid: created.stat.czxid })
    expect(stat.mzxid).toBeGreaterThan(created.stat.mzxid)
  })

  test('a write at another version fails and changes nothing', async () => {
    const zk = await open(server)
    await zk.create('/a', 'one')
    const error = await errorOf(zk.setData('/a', 'two', { version: 7 }))
    expect(error).toMatchObject({ code: 'BAD_VERSION', errno: -103, op: 'setData', path: '/a' })
    expect((await zk.getData('/a')).data?.toString()).toBe('one')
    expect(await errorOf(zk.delete('/a', { version: 7 }))).toMatchObject({ code: 'BAD_VERSION' })
  })

  test('delete needs a znode, and one without children', async () => {
    const zk = await open(server)
    await zk.create('/a')
    await zk.create('/a/b')
    expect(await errorOf(zk.delete('/a'))).toMatchObject({ code: 'NOT_EMPTY', errno: -111 })
    await zk.delete('/a/b', { version: 0 })
    await zk.delete('/a')
    expect(await errorOf(zk.delete('/a'))).toMatchObject({ code: 'NO_NODE' })
  })

  test('exists answers null for what is not there', async () => {
    const zk = await open(server)
    expect(await zk.exists('/nope')).toBeNull()
    expect(await zk.exists('/')).not.toBeNull()
  })

  test('getChildren names the children and gives the Stat of the parent', async () => {
    const zk = await open(server)
    await Promise.all(['x', 'y', '__proto__'].map((name) => zk.create(`/${name}`)))
    const { children, stat } = await zk.getChildren('/')
    expect([...children].sort()).toEqual(['__proto__', 'x', 'y'])
    expect(stat).toMatchObject({ numChildren: 3, cversion: 3 })
    expect(stat).toEqual(await zk.exists('/'))
  })

  test('a value of the greatest length goes in and out', async () => {
    const zk = await open(server)
    const large = Buffer.alloc(1_000_000, 'z')
    await zk.create('/large', large)
    const { data } = await zk.getData('/large')
    expect(data?.equals(large)).toBe(true)
  })

  test('a request that a server would not take fails alone, before it is sent', async () => {
    const zk = await open(server)
    await zk.create('/a', 'small')
    const tooLarge = zk.setData('/a', Buffer.alloc(1_048_600))
    const read = zk.getData('/a')
    expect(await errorOf(tooLarge)).toMatchObject({
      code: 'REQUEST_TOO_LARGE',
      outcome: 'not-applied',
    })
    expect((await read).data?.toString()).toBe('small')
    expect(zk.state).toBe('connected')
  })

  test('a reply over the limit fails its call alone', async () => {
    const zk = await open(server, { frameInBytesMax: 1_000 })
    await zk.create('/large', Buffer.alloc(50_000))
    await zk.create('/small', 'x')
    const [large, small] = await Promise.allSettled([zk.getData('/large'), zk.getData('/small')])
    expect(large).toMatchObject({ reason: { code: 'REPLY_TOO_LARGE', path: '/large' } })
    expect(small.status).toBe('fulfilled')
    expect(zk.state).toBe('connected')
  })

  test('small data is copied at the call', async () => {
    const zk = await open(server)
    await zk.create('/a')
    const data = Buffer.from('before')
    const written = zk.setData('/a', data)
    data.write('after!')
    await written
    expect((await zk.getData('/a')).data?.toString()).toBe('before')
  })

  test('calls are carried out in the order in which they are made', async () => {
    const zk = await open(server)
    const calls: Promise<unknown>[] = [zk.create('/a', '0')]
    for (let i = 1; i <= 100; i++) calls.push(zk.setData('/a', String(i), { version: i - 1 }))
    const last = zk.getData('/a')
    await Promise.all(calls)
    expect((await last).data?.toString()).toBe('100')
  })

  test('sync resolves behind the writes before it', async () => {
    const zk = await open(server)
    const created = zk.create('/a')
    await zk.sync('/a')
    await expect(created).resolves.toMatchObject({ path: '/a' })
  })

  test('R37: an abort before the turn is over sends nothing', async () => {
    const zk = await open(server)
    const abort = new AbortController()
    const created = zk.create('/a', '', { signal: abort.signal })
    const neighbour = zk.create('/b')
    abort.abort('enough')
    const error = await errorOf(created)
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORTED', outcome: 'not-applied' })
    expect((error as Error).cause).toBe('enough')
    await neighbour
    expect((await zk.getChildren('/')).children).toEqual(['b'])
  })

  test('R37: an abort after the request left says that the outcome is unknown', async () => {
    const zk = await open(server)
    const abort = new AbortController()
    const created = zk.create('/a', '', { signal: abort.signal })
    // The batch leaves when this turn is over; the answer needs at least one more.
    process.nextTick(() => {
      abort.abort()
    })
    expect(await errorOf(created)).toMatchObject({ code: 'ABORTED', outcome: 'unknown' })
    await expect(zk.exists('/')).resolves.not.toBeNull()
  })

  test('a signal that has fired already sends nothing', async () => {
    const zk = await open(server)
    const error = await errorOf(zk.create('/a', '', { signal: AbortSignal.abort() }))
    expect(error).toMatchObject({ code: 'ABORTED', outcome: 'not-applied' })
    expect(await zk.exists('/a')).toBeNull()
  })

  test('ten thousand calls under one signal need one listener', async () => {
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    const zk = await open(server)
    const { signal } = new AbortController()
    await Promise.all(Array.from({ length: 10_000 }, () => zk.exists('/', { signal })))
    process.off('warning', note)
    expect(warnings).toEqual([])
  })
})
