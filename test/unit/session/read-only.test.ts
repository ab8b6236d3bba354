import { describe, expect, test } from 'vitest'
import { Harness, password, reply, sessionId } from '../../support/session-harness.ts'
import { getData } from '../../support/test-call.ts'

const noTicket = { sessionId: 0n, passwd: Buffer.alloc(16) }
const ownTicket = { sessionId, passwd: password }
const localSession = { sessionId: 7n, readOnly: true }

/** What the next dial offers. Its link is open then. */
function offerOf(harness: Harness) {
  harness.takeFrames()
  harness.open()
  return harness.takeFrames()[0]!.request
}

describe('a session of which a quorum knows', () => {
  /** Connected, cut off, and met with silence by every host once. */
  function refusedByAll(): Harness {
    const harness = Harness.connected({ readOnly: true, backoff: { msMin: 1, msMax: 1 } }).cut()
    for (let i = 0; i < 3; i++) harness.open().cut()
    return harness
  }

  test('is offered to each host before one is asked for reads without it', () => {
    const harness = Harness.connected({ readOnly: true }).cut()
    for (let i = 0; i < 3; i++) {
      expect(offerOf(harness)).toMatchObject(ownTicket)
      harness.cut()
    }
    expect(offerOf(harness)).toMatchObject({ ...noTicket, readOnly: true })
  })

  test('is kept, and offered to the next server, while another one serves reads', () => {
    const harness = refusedByAll().connect(localSession)
    expect(harness.states.slice(-2)).toEqual(['suspended', 'read-only'])
    expect(harness.session.id).toBe(sessionId)

    expect(offerOf(harness.cut())).toMatchObject(ownTicket)
    harness.accept()
    expect(harness.session).toMatchObject({ id: sessionId, state: 'connected' })
  })

  test('is offered again to a host that would not serve without it, either', () => {
    const harness = refusedByAll()
    harness.open().cut() // as a guest
    for (const _ of ['zk3', 'zk1']) harness.open().cut()
    expect(harness.dials.at(-1)!.name).toBe('zk1')
    expect(offerOf(harness)).toMatchObject(ownTicket)
  })

  test('is not left for a new one when a server that was asked for reads can write', () => {
    const harness = refusedByAll().connect({ sessionId: 99n })
    expect(harness.session.lastLoss).toMatchObject({ code: 'PROTOCOL_ERROR' })
    expect(harness.session.id).toBe(sessionId)
    expect(harness.states.at(-1)).toBe('suspended')
  })

  // Such a server knows its own sessions only.
  test('has not expired because a server without a quorum does not know it', () => {
    const harness = Harness.connected({ readOnly: true }).cut().open()
    harness.accept({ timeOut: 0, sessionId: 0n, readOnly: true })
    expect(harness.states).toEqual(['connected', 'suspended'])
    expect(harness.session.lastLoss).toMatchObject({
      detail: 'a server without a quorum does not know the session',
    })
  })

  test('is lost at once when reads end that were served for longer than the servers keep it', () => {
    const harness = refusedByAll().connect(localSession)
    for (let i = 0; i < 20; i++) {
      harness.advance(1_000).reply(-2)
      harness.takeSent()
    }
    harness.cut()
    harness.advance(0)
    expect(harness.states.slice(-3)).toEqual(['read-only', 'suspended', 'lost'])
  })

  test('without the wish to read only, nothing but the session is offered', () => {
    const harness = Harness.connected({ backoff: { msMin: 1, msMax: 1 } }).cut()
    for (let i = 0; i < 9; i++) {
      expect(offerOf(harness)).toMatchObject({ ...ownTicket, readOnly: false })
      harness.cut()
    }
  })
})

test('a server without a quorum that opens no sessions says so', () => {
  const harness = new Harness({ readOnly: true }).open()
  harness.receive(reply({ xid: 0, zxid: 5n, err: -119 }))
  expect(harness.session.lastLoss).toMatchObject({ code: 'NOT_READ_ONLY' })
  expect(harness.states).toEqual([])
})

describe('while a read-only server serves', () => {
  const reading = () => new Harness({ readOnly: true }).connect(localSession)

  test('the others are asked one after the other whether they can write', () => {
    const harness = reading()
    const startMs = harness.nowMs
    for (let i = 0; i < 3; i++) harness.wake().answerProbe(false)
    const probes = harness.probes.map(({ host, atMs }) => [host.name, atMs - startMs])
    expect(probes).toEqual([
      ['zk2', 100],
      ['zk3', 300],
      ['zk2', 700],
    ])
  })

  test('the one that can is dialled next, once this one has answered', () => {
    const harness = reading()
    const [read] = harness.submit(getData('/a'))
    harness.turn().advance(100).answerProbe(false)
    harness.advance(200).answerProbe(true)
    expect(harness.session.state).toBe('read-only')
    harness.answer()
    expect(read.fate).toBe('succeeded')
    expect(harness.changes.at(-1)).toMatchObject({ state: 'suspended', reason: 'moved' })

    harness.connect()
    expect(harness.dials.at(-1)!.name).toBe('zk3')
    expect(harness.states.at(-1)).toBe('connected')
  })

  test('an answer that comes too late changes nothing', () => {
    const harness = reading()
    harness.advance(100).cut().connect()
    const dials = harness.dials.length
    harness.answerProbe(true)
    expect(harness.session.state).toBe('connected')
    expect(harness.dials).toHaveLength(dials)
  })

  test('a host that is not in the list any more is not dialled for its answer', () => {
    const harness = reading()
    harness.advance(100)
    harness.session.updateHosts(harness.nowMs, [
      { name: 'zk1', port: 2181 },
      { name: 'zk3', port: 2181 },
    ])
    harness.answerProbe(true).connect()
    expect(harness.dials.at(-1)!.name).toBe('zk3')
  })

  test('nobody is asked when there is no other server', () => {
    const harness = new Harness({ readOnly: true, hosts: ['zk1'] }).connect(localSession)
    harness.advance(3_000)
    expect(harness.probes).toEqual([])
  })

  test('nobody is asked after the end', () => {
    const harness = reading().close()
    harness.answer().advance(10_000)
    expect(harness.probes).toEqual([])
    expect(harness.session.nextDeadlineMs).toBe(Infinity)
  })
})
