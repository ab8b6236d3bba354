import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { fourLetterWords, type ZooKeeper } from '../../src/index.ts'
import { Lock } from '../../src/recipes/index.ts'
import { play } from '../differential/play.ts'
import { type Script, scripts, type Step } from '../differential/script.ts'
import { LinkProxy } from '../support/link-proxy.ts'
import { errorOf, newChroot, openAt, testSince } from '../support/servers.ts'
import { describeReal } from '../support/shared-zookeeper.ts'
import { attachedTo, inWords, reattached, underLoad } from '../support/under-load.ts'
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts'
import { type ZooKeeperServer } from '../support/zookeeper-server.ts'

// An observer serves clients and has no vote: it is told of every transaction once it is decided. Clients
// must not notice. Three members vote, a fourth observes.

/** Long enough that no pause of a loaded machine expires the session. */
const sessionTimeout = 9_000

describeReal('K7: a client of an observer', (shared) => {
  let ensemble: ZooKeeperEnsemble
  beforeAll(async () => {
    ensemble = await ZooKeeperEnsemble.start({
      observers: 1,
      jvmProperties: { 'znode.container.checkIntervalMs': 1_000_000_000 }, // nothing goes by itself
    })
  })
  afterAll(async () => {
    await ensemble?.[Symbol.asyncDispose]()
  })

  const observer = () => ensemble.members.at(-1)!
  const voters = () => ensemble.members.slice(0, -1).map(({ connectString }) => connectString)
  const openedAt = (member: ZooKeeperServer, root = '') => {
    return openAt(member.connectString + root, { sessionTimeout })
  }

  test('hears to the byte what a client of a follower hears', async () => {
    expect(await ensemble.observers()).toEqual([observer()])
    const [follower] = await ensemble.followers()
    for (const script of calmScripts(ensemble.version)) {
      const hear = async ({ port, version }: ZooKeeperServer) => {
        const chroot = await newChroot(ensemble) // sequential znodes count within it
        const lines = await play(script, { port, version }, `${chroot}/root`)
        return lines.map((line) => line.replaceAll(chroot, ''))
      }
      const expected = await hear(follower!)
      const told = await hear(observer())
      const at = told.findIndex((line, i) => line !== expected[i])
      expect(told[at]).toBe(expected[at])
      expect(told).toHaveLength(expected.length)
    }
  }, 60_000)

  testSince(shared, '3.6')('is told each change once, in order, before it reads it', async () => {
    const root = await newChroot(ensemble)
    const writer = await openedAt(await ensemble.leader(), root)
    const reader = await openedAt(observer(), root)
    await writer.create('/a', '0')
    await reader.sync('/')
    const watch = reader.watch('/', { recursive: true })
    await watch.ready
    const written = (async () => {
      for (let i = 1; i <= 100; i++) {
        await writer.multi().setData('/a', String(i)).create(`/b${i}`).commit()
        await writer.delete(`/b${i}`)
      }
    })()

    const told: string[] = []
    for (let version = 0; version < 100;) {
      version = (await reader.getData('/a')).stat.version
      told.push(...watch.drain().map(({ type, path }) => `${type} ${path}`))
      expect(told.filter((event) => event === 'NodeDataChanged /a').length).toBe(version)
    }
    await written
    await reader.sync('/')
    told.push(...watch.drain().map(({ type, path }) => `${type} ${path}`))
    expect(told).toEqual(
      Array.from({ length: 100 }, (_, i) => [
        'NodeDataChanged /a',
        `NodeCreated /b${i + 1}`,
        `NodeDeleted /b${i + 1}`,
      ]).flat(),
    )
  })

  test('reads the four-letter words of leaders, followers and observers', async () => {
    await ensemble.untilWhole()
    for (const member of ensemble.members) {
      const { connectString, version } = member
      const mode = await member.mode()
      expect(await fourLetterWords.srvr(connectString)).toMatchObject({ mode, version })
      const { clients } = await fourLetterWords.stat(connectString)
      expect(clients.length).toBeGreaterThan(0) // the one that asks
      expect((await fourLetterWords.cons(connectString)).length).toBeGreaterThan(0)
      const conf = await fourLetterWords.conf(connectString)
      expect(conf.get('server.4')).toMatch(/:observer;127\.0\.0\.1:\d+$/)
      const mntr = await fourLetterWords.mntr(connectString)
      expect(mntr.get('zk_server_state')).toBe(mode)
      const texts = [...mntr].filter(([, value]) => typeof value === 'string')
      expect(['zk_version', 'zk_server_state', 'zk_peer_state']).toEqual(
        expect.arrayContaining(texts.map(([name]) => name)),
      )
      expect(await fourLetterWords.isro(connectString)).toBe('rw')
      expect(await fourLetterWords.wchs(connectString)).toEqual({
        connections: 0,
        paths: 0,
        watches: 0,
      })
    }
  })

  test('reads behind a sync what another member has taken', async () => {
    const root = await newChroot(ensemble)
    const writer = await openedAt(await ensemble.leader(), root)
    const reader = await openedAt(observer(), root)
    await writer.create('/a', '0')
    for (let i = 1; i <= 200; i++) {
      await writer.setData('/a', String(i))
      expect(String((await reader.getData('/a', { sync: true })).data)).toBe(String(i))
    }
  })

  test('takes turns at a lock with a client of a follower', async () => {
    const root = await newChroot(ensemble)
    const [follower] = await ensemble.followers()
    const clients = [await openedAt(observer(), root), await openedAt(follower!, root)]
    const tokens: bigint[] = []
    let inside = 0
    const contend = async (zk: ZooKeeper) => {
      for (let i = 0; i < 15; i++) {
        await new Lock(zk, '/lock').run(async ({ fencingToken }) => {
          expect(++inside).toBe(1)
          tokens.push(fencingToken)
          await zk.exists('/')
          inside--
        })
      }
    }
    await Promise.all(clients.map(contend))
    expect(tokens).toHaveLength(30)
    expect(tokens.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(tokens)
  })

  // The observer tells the leader whom it has heard of.
  test('keeps session and lease while it is idle, and a silent one beside it expires', async () => {
    const root = await newChroot(ensemble)
    const options = { sessionTimeout: 4_000 } // a lease of 2.7 s, which is renewed after 1.3 s
    await using wire = await LinkProxy.start(observer().port)
    const idle = await openAt(observer().connectString + root, options)
    const silent = await openAt(wire.connectString + root, options)
    const { id } = idle.session
    const held = await new Lock(idle, '/lock').acquire()
    await silent.create('/silent', '', { mode: 'ephemeral' })
    const gone = new Promise((resolve) => {
      void idle.exists('/silent', { watch: resolve }) // all that it asks for
    })
    wire.isSilent = true

    expect(await gone).toMatchObject({ type: 'NodeDeleted', path: '/silent' })
    expect([held.signal.reason, held.isHeld]).toEqual([undefined, true])
    expect([idle.session.id, idle.state]).toEqual([id, 'connected'])
    wire.isSilent = false
    await held.release()
  })

  test('moves to a voter and back with its session, and is told the truth', async ({
    annotate,
  }) => {
    const zk = await openedAt(observer())
    const { path } = await zk.create('/moved-', '', { mode: 'ephemeral-sequential' })
    const verdict = await underLoad(ensemble, zk, async () => {
      await reattached(zk, () => zk.updateServers(voters().join(',')))
      expect(voters()).toContain(zk.server)
      await reattached(zk, () => zk.updateServers(observer().connectString))
      expect(zk.server).toBe(observer().connectString)
    })
    expect((await zk.exists(path))?.ephemeralOwner).toBe(zk.session.id)
    await annotate(inWords(verdict))
  })

  describe('is told the truth, and keeps its session', () => {
    test('when the observer is killed', async ({ annotate }) => {
      const zk = await attachedTo(ensemble, 'observer', sessionTimeout)
      const { path } = await zk.create('/left-', '', { mode: 'ephemeral-sequential' })
      const verdict = await underLoad(ensemble, zk, async () => {
        await reattached(zk, () => observer().kill())
        expect(voters()).toContain(zk.server)
        await observer().restart()
      })
      expect((await zk.exists(path))?.ephemeralOwner).toBe(zk.session.id)
      await annotate(inWords(verdict))
    })

    test('when the leader is killed, and it knows of no other server', async ({ annotate }) => {
      const zk = await openedAt(observer())
      const { path } = await zk.create('/led-', '', { mode: 'ephemeral-sequential' })
      const leader = await ensemble.leader()
      const verdict = await underLoad(ensemble, zk, async () => {
        await reattached(zk, () => leader.kill())
        expect(zk.server).toBe(observer().connectString)
        await leader.restart()
      })
      expect((await zk.exists(path))?.ephemeralOwner).toBe(zk.session.id)
      await annotate(inWords(verdict))
    }, 60_000)

    test('when the observer becomes a voter, and one again', async ({ annotate }) => {
      const admin = await openAt(voters().join(','), {
        auth: [{ scheme: 'digest', auth: 'super:admin' }],
      })
      const roleOf = async () => {
        const { members, text } = await admin.getConfig({ sync: true })
        const line = text.split('\n').find((one) => one.startsWith('server.4='))!
        return { role: members.find(({ id }) => id === 4)?.role, line }
      }
      const { role, line } = await roleOf()
      expect(role).toBe('observer')
      const zk = await openedAt(observer())
      const changeTo = (joining: string) => {
        return reattached(zk, async () => {
          await admin.reconfig({ joining: [joining] })
        })
      }
      const verdict = await underLoad(ensemble, zk, async () => {
        const promoted = line.replace(':observer', ':participant')
        await changeTo(promoted)
        expect(await roleOf()).toEqual({ role: 'participant', line: promoted })
        await changeTo(line)
        expect(await roleOf()).toEqual({ role: 'observer', line })
      })
      await annotate(inWords(verdict))
    }, 60_000)
  })

  // With it they would be two of four, and it has no vote.
  test('is not served without a majority of those who vote, and later goes on', async () => {
    const zk = await openedAt(observer(), await newChroot(ensemble))
    const { id } = zk.session
    await zk.create('/mine', '', { mode: 'ephemeral' })
    const suspended = zk.waitFor('suspended')
    const [first, second] = ensemble.members
    await Promise.all([first!.kill(), second!.kill()])
    await suspended

    expect(await errorOf(zk.setData('/mine', 'x', { timeout: 1_000 }))).toMatchObject({
      code: 'TIMEOUT',
      outcome: 'not-applied',
    })
    expect(await observer().mode()).toBe('looking')
    await ensemble.startAll()
    await zk.waitFor('connected', { timeout: 30_000 })
    expect([zk.session.id, (await zk.exists('/mine'))?.ephemeralOwner]).toEqual([id, id])
    expect(String((await zk.getData('/mine')).data)).toBe('')
  }, 60_000)
})

/** What three clients do, but for what changes the members, waits for an expiry, or goes by itself. */
function calmScripts(version: string): Script[] {
  const isWild = (step: Step) => {
    return (
      ('call' in step && step.call === 'reconfig') || ('does' in step && step.does === 'expires')
    )
  }
  return fc
    .sample(scripts(100, version), { seed: 7, numRuns: 20 })
    .filter(({ kind }) => kind === 'usual')
    .map(({ kind, steps }) => ({ kind, steps: steps.filter((step) => !isWild(step)) }))
}
