import { expect, test } from 'vitest'
import { Election } from '../../src/recipes/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { describeServers, errorOf, newChroot, open, openAt, testSince } from '../support/servers.ts'

describeServers('Election', (server) => {
  test('one of the candidates leads; when it resigns, the next in line does', async () => {
    const zk = await open(server)
    const [a, b] = [new Election(zk, '/e', { id: 'a' }), new Election(zk, '/e', { id: 'b' })]
    const campaignA = a.campaign()
    const termA = (await campaignA.next()).value!
    const campaignB = b.campaign()
    const nextB = campaignB.next()
    expect(a.isLeader).toBe(true)
    expect(await b.leader()).toMatchObject({ id: 'a', token: termA.fencingToken })

    await a.resign()
    const termB = (await nextB).value!
    expect(termA.signal.aborted).toBe(true)
    expect(a.isLeader).toBe(false)
    expect(termB.fencingToken).toBeGreaterThan(termA.fencingToken)
    expect(await a.leader()).toMatchObject({ id: 'b' })
    await campaignA.return(undefined)
    await campaignB.return(undefined)
    expect(await a.leader()).toBeNull()
  })

  testSince(server, '3.6')('observers are told of each new leader, and of none', async () => {
    const chroot = await newChroot(server)
    const zk = await openAt(server.connectString + chroot)
    const observer = await openAt(server.connectString + chroot)
    const leaders = new Election(observer, '/e').observe()
    expect((await leaders.next()).value).toBeNull()
    const campaign = new Election(zk, '/e', { id: 'a' }).campaign()
    await campaign.next()
    expect((await leaders.next()).value).toMatchObject({ id: 'a' })
    await campaign.return(undefined)
    expect((await leaders.next()).value).toBeNull()
    await leaders.return(undefined)
  })

  test('an abort ends a campaign that waits, and takes the candidate out of the line', async () => {
    const zk = await open(server)
    const leading = new Election(zk, '/e').campaign()
    await leading.next()
    const abort = new AbortController()
    const waiting = errorOf(new Election(zk, '/e').campaign({ signal: abort.signal }).next())
    await zk.sync()
    abort.abort()
    expect(await waiting).toMatchObject({ code: 'ABORTED' })
    await zk.sync()
    expect((await zk.getChildren('/e')).children).toHaveLength(1)
    await leading.return(undefined)
  })
})

test('a leader whose session expires loses its term, and campaigns on in the next session', async () => {
  await using server = await TestServer.start()
  const zk = await openAt(server.connectString)
  const campaign = new Election(zk, '/e').campaign()
  const first = (await campaign.next()).value!
  const lost = new Promise((resolve) => {
    first.signal.addEventListener('abort', resolve)
  })
  await server.expire(zk.session.id)
  await lost
  const second = (await campaign.next()).value!
  expect(second.fencingToken).toBeGreaterThan(first.fencingToken)
  expect(second.isHeld).toBe(true)
  await campaign.return(undefined)
})
