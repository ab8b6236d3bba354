import { expect, test } from 'vitest'
import { Config } from '../../src/recipes/index.ts'
import { describeServers, errorOf, newChroot, open, openAt } from '../support/servers.ts'

interface Limits {
  readonly rate: number
}

describeServers('Config', (server) => {
  test('is the newest value, whoever writes it', async () => {
    const chroot = await newChroot(server)
    const zk = await openAt(server.connectString + chroot)
    const other = await openAt(server.connectString + chroot)
    const config = await Config.open<Limits>(zk, '/config/limits')
    expect([config.value, config.version]).toEqual([null, -1])

    const changes = config.changes()
    const writer = await Config.open<Limits>(other, '/config/limits')
    expect(await writer.set({ rate: 10 })).toBe(0)
    expect(writer.value).toEqual({ rate: 10 })
    expect((await changes.next()).value).toEqual({ value: { rate: 10 }, version: 0 })
    expect(await writer.set({ rate: 20 })).toBe(1)
    expect((await changes.next()).value).toEqual({ value: { rate: 20 }, version: 1 })
    expect(config.value).toEqual({ rate: 20 })

    await zk.delete('/config/limits')
    expect((await changes.next()).value).toEqual({ value: null, version: -1 })
    await Promise.all([config.close(), writer.close()])
    expect(await changes.next()).toEqual({ done: true, value: undefined })
  })

  test('a write on top of a version that is not the newest is refused', async () => {
    const zk = await open(server)
    const config = await Config.open<Limits>(zk, '/limits')
    await config.set({ rate: 1 })
    await config.set({ rate: 2 })
    expect(await errorOf(config.set({ rate: 3 }, { version: 0 }))).toMatchObject({
      code: 'BAD_VERSION',
    })
    expect(await errorOf(config.set({ rate: 3 }, { version: -1 }))).toMatchObject({
      code: 'BAD_VERSION',
    })
    expect(config.value).toEqual({ rate: 2 })
    await config.close()
  })

  test('update loses no change of many writers', async () => {
    const zk = await open(server)
    const configs = await Promise.all(
      Array.from({ length: 5 }, () => Config.open<number>(zk, '/counter')),
    )
    const increment = (config: Config<number>) => config.update((now) => (now ?? 0) + 1)
    await Promise.all(
      configs.flatMap((config) => Array.from({ length: 4 }, () => increment(config))),
    )
    expect((await zk.getData('/counter')).data?.toString()).toBe('20')
    await Promise.all(configs.map((config) => config.close()))
  })

  test('bytes that cannot be decoded leave the last good value, and say why', async () => {
    const zk = await open(server)
    const config = await Config.open<Limits>(zk, '/limits')
    await config.set({ rate: 1 })
    const changes = config.changes()
    await zk.setData('/limits', 'not JSON')
    await zk.setData('/limits', '{"rate":2}')
    expect((await changes.next()).value).toEqual({ value: { rate: 2 }, version: 2 })
    await zk.setData('/limits', 'not JSON')
    while (config.error === null) await zk.sync()
    expect(config.value).toEqual({ rate: 2 })
    expect(config.error).toBeInstanceOf(SyntaxError)
    await config.close()
  })
})
