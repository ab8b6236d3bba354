/**
 * What has hurt the users of other clients, and shows in the session alone, in no real time. The rows
 * are explained in `docs/regressions.md`.
 */
import { describe, expect, test } from 'vitest'
import { Prng } from '../../../src/testing/prng.ts'
import { Harness, sessionTimeoutMs } from '../../support/session-harness.ts'
import { exists } from '../../support/test-call.ts'

describe('R10: a server that accepts and drops at once', () => {
  test.each([
    ['before the handshake', (harness: Harness) => harness.cut()],
    ['behind the handshake', (harness: Harness) => harness.accept().cut()],
  ])('%s is dialled at a rate that falls, and never in a loop', (_, drop) => {
    const prng = new Prng(10)
    const harness = new Harness()
    const endMs = harness.nowMs + 60_000
    for (let dials = 0; harness.nowMs < endMs; dials++) {
      if (dials > 200) throw new Error('a storm')
      harness.dice = prng.next()
      drop(harness.open())
    }
    const atMs = harness.dials.map((dial) => dial.atMs)
    const pauses = atMs.slice(1).map((ms, index) => ms - atMs[index]!)
    expect(atMs.length).toBeLessThan(60)
    expect(Math.max(...pauses)).toBeGreaterThan(1_000)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(sessionTimeoutMs / 3)
    expect(new Set(pauses).size).toBeGreaterThan(pauses.length / 2) // no two clients in step
  })
})

describe('R11: a client that is cut off from all servers', () => {
  test('says lost by its own clock, and expired once, when a server says so', () => {
    const harness = Harness.connected()
    harness.cut()
    for (const untilMs = harness.nowMs + 2 * sessionTimeoutMs; harness.nowMs < untilMs;)
      fail(harness)
    expect(harness.states).toEqual(['connected', 'suspended', 'lost'])
    harness.open().refuse()
    expect(harness.states).toEqual(['connected', 'suspended', 'lost', 'expired'])
  })

  test('says lost after 4/3 of the timeout, counted from the last byte that it heard', () => {
    const harness = Harness.connected().advance(3_000)
    harness.reply(-2)
    const heardAtMs = harness.nowMs
    harness.advance(1_000).cut()
    while (harness.states.at(-1) !== 'lost') fail(harness)
    expect(harness.nowMs).toBe(heardAtMs + (4 / 3) * sessionTimeoutMs)
  })
})

/** Lets time pass to the next thing that the session wants; if that is a dial, it fails. */
function fail(harness: Harness): void {
  harness.wake()
  if (harness.link === 'dialling') harness.cut()
}

describe('R30: so many watches that it takes many frames to set them again', () => {
  const count = 20_000
  const name = 'x'.repeat(100)

  /** Reconnected, to a server that takes each write only after a while. */
  function rearming() {
    const harness = Harness.connected()
    const { watches } = harness
    for (let i = 0; i < count; i++) watches.add('data', `/${name}${i}`, () => undefined)
    harness.cut().takeSent()
    harness.open().takeSent()
    harness.isStalled = true
    harness.accept()
    return harness
  }

  test('lets pings out between the frames, whenever one is due', () => {
    const harness = rearming()
    const sent: string[] = []
    for (let writes = 0; harness.due !== undefined; writes++) {
      if (writes > 100) throw new Error('no end')
      harness.advance(sessionTimeoutMs / 3) // the socket is full so long
      sent.push(harness.takeSent().join())
      harness.flushOnce().answer()
    }
    // At most 256 KiB at a time are handed to the socket, and the ping goes ahead of what waits.
    const [first, ...later] = sent.filter((write) => write.includes('setWatches'))
    expect(first).toMatch(/^setWatches(,setWatches)?$/)
    for (const write of later) expect(write).toMatch(/^ping(,setWatches){1,3}$/)
    expect(later.length).toBeGreaterThan(4)
    expect(harness.states).toEqual(['connected', 'suspended', 'connected'])
  })

  test('lets calls wait until all of them are written', () => {
    const harness = rearming()
    harness.submit(exists('/behind'))
    while (!harness.takeSent().includes('exists /behind')) {
      expect(harness.due?.text).toBe('setWatches')
      harness.answer().flushOnce()
    }
    harness.answerAll()
    expect(harness.watches.size).toBe(count)
  })
})

describe('R40: a multi that fires five watches', () => {
  const paths = ['/1', '/2', '/3', '/4', '/5']

  test('is told whole, though the link breaks behind the second event', () => {
    const harness = Harness.connected()
    const heard: string[] = []
    for (const path of paths) harness.submit(exists(path, (event) => heard.push(event.path)))
    harness.turn()
    while (harness.due !== undefined) harness.answer({ zxid: 7n })
    harness.notify(3, '/1', 9n).notify(3, '/2', 9n)
    harness.cut().takeSent()

    harness.connect()
    const [handshake, setWatches] = harness.takeFrames()
    // The change at 9 was not seen whole: a server that is asked about it must tell the rest of it.
    expect(handshake!.request.lastZxidSeen).toBe(7n)
    expect(setWatches!.request).toMatchObject({ relativeZxid: 7n, dataWatches: ['/3', '/4', '/5'] })
    for (const path of ['/3', '/4', '/5']) harness.notify(3, path, 9n)
    expect(heard).toEqual(paths)
  })
})
