import { expect, test } from 'vitest'
import { describeServers, newChroot, openAt } from '../support/servers.ts'

describeServers('connect()', (server) => {
  test('R93: called twice at once makes two clients, each with a session and an end of its own', async () => {
    const at = server.connectString + (await newChroot(server))
    const [one, other] = await Promise.all([openAt(at), openAt(at)])
    expect(one).not.toBe(other)
    expect(one.session.id).not.toBe(other.session.id)
    const [mine] = await Promise.all([
      one.create('/one', '', { mode: 'ephemeral' }),
      other.create('/other', '', { mode: 'ephemeral' }),
    ])
    expect(mine.stat.ephemeralOwner).toBe(one.session.id)

    const gone = new Promise((resolve) => void other.exists('/one', { watch: resolve }))
    await other.sync('/') // behind the watch
    await one.close()
    expect(await gone).toMatchObject({ type: 'NodeDeleted', path: '/one' })
    expect([one.state, other.state]).toEqual(['closed', 'connected'])
    expect(await other.exists('/other')).toMatchObject({ ephemeralOwner: other.session.id })
  })
})
