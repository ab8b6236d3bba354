/**
 * The link breaks behind every single byte that either side sends: of the handshake, and of a request
 * and its reply for every operation of the table. Each ends in one of three ways, and nothing of a
 * broken link is left in the next one. `docs/failure-scenarios.md` says what A1 to A4 are.
 */
import { describe, expect, test } from 'vitest'
import { type Operation } from '../../../src/protocol/operations.ts'
import { Credential } from '../../../src/session/auth.ts'
import { Harness, handshakeOf, reply } from '../../support/session-harness.ts'
import { callable, sampleCall, sampleResponse } from '../../support/sample-frames.ts'
import { getData, setData } from '../../support/test-call.ts'

/** What a cut makes of a call that a server may have seen. */
const fateOf = {
  read: 'pending', // it is sent again
  write: 'CONNECTION_LOSS unknown',
  connection: 'CONNECTION_LOSS unknown',
} as const

describe('A1: a cut handshake is no session, and the next host has one', () => {
  const requestLength = 4 + 45
  const answer = handshakeOf()

  test('at every byte of the request', () => {
    for (let at = 0; at < requestLength; at++) {
      const harness = new Harness().cutAfter(at).open()
      expect(harness.states).toEqual([])
      expectHandshakeWith(harness, 'zk2')
    }
  })

  test('at every byte of the answer', () => {
    for (let at = 0; at < answer.length; at++) {
      const harness = new Harness().open()
      harness.receive(answer.subarray(0, at))
      harness.cut()
      expect(harness.session.lastLoss).toMatchObject({ code: 'CONNECTION_LOSS' })
      expect(harness.states).toEqual([])
      expectHandshakeWith(harness, 'zk2')
    }
  })

  test('at every byte of the answer to a session that goes on: it goes on elsewhere', () => {
    for (let at = 0; at < answer.length; at++) {
      const harness = Harness.connected().cut().open()
      harness.receive(answer.subarray(0, at))
      harness.cut().connect()
      expect(harness.states).toEqual(['connected', 'suspended', 'connected'])
    }
  })

  function expectHandshakeWith(harness: Harness, host: string): void {
    harness.takeSent()
    harness.connect()
    expect(harness.takeSent()).toEqual(['connect'])
    expect(harness.dials.at(-1)!.name).toBe(host)
    expect(harness.states).toEqual(['connected'])
  }
})

describe.each(callable.map((operation) => [operation.name, operation] as const))(
  '%s',
  (_, operation) => {
    test('A2: before its first byte is given away it is not applied, and no server sees it', () => {
      const harness = Harness.connected()
      const [call] = harness.submit(sampleCall(operation))
      harness.cut()
      const waits = operation.effect !== 'connection'
      expect(call.fate).toBe(waits ? 'pending' : 'CONNECTION_LOSS not-applied')
      harness.takeSent()
      harness.connect()
      expect(harness.takeFrames().slice(1).map(nameOf)).toEqual(waits ? [operation.name] : [])
    })

    test('A2: cut at every byte of its request', () => {
      for (let at = 0; at < requestLengthOf(operation); at++) {
        const harness = Harness.connected().cutAfter(at)
        const [call, behind] = harness.submit(sampleCall(operation), getData('/behind'))
        harness.turn()
        expect(harness.takeSent(), `cut at ${at}`).toEqual([])
        expect([call.fate, behind.fate]).toEqual([fateOf[operation.effect], 'pending'])
        expectFreshLink(harness, operation)
      }
    })

    test('A3, A4: cut at every byte of its reply', () => {
      const answer = reply(header(0), operation.response, sampleResponse(operation))
      for (let at = 0; at < answer.length; at++) {
        const harness = Harness.connected()
        const [call] = harness.submit(sampleCall(operation), getData('/behind'))
        harness.turn().takeSent()
        expect(harness.receive(answer.subarray(0, at)), `cut at ${at}`).toBeNull()
        expect(call.fate).toBe('pending')
        harness.cut()
        expect(call.fate).toBe(fateOf[operation.effect])
        expectFreshLink(harness, operation)
      }
    })

    test('A3: cut at every byte of an error', () => {
      const answer = reply(header(-101))
      for (let at = 0; at < answer.length; at++) {
        const harness = Harness.connected()
        const [call] = harness.submit(sampleCall(operation))
        harness.turn()
        harness.receive(answer.subarray(0, at))
        harness.cut()
        expect(call.fate, `cut at ${at}`).toBe(fateOf[operation.effect])
      }
    })

    test('A3: cut behind the reply, or behind the error, it keeps what it was told', () => {
      for (const err of [0, -101]) {
        const harness = Harness.connected()
        const [call] = harness.submit(sampleCall(operation))
        harness
          .turn()
          .answer({ err, body: sampleResponse(operation) })
          .cut()
        expect(call.fate).toBe(err === 0 ? 'succeeded' : 'NO_NODE not-applied')
        if (err === 0) expect(call.response).toEqual(sampleResponse(operation))
      }
    })
  },
)

describe('what the session sends by itself is told anew after a cut at each byte', () => {
  test('A2, A3: of ping', () => {
    const answer = reply({ xid: -2, zxid: 0n, err: 0 })
    for (const [bytesOut, bytesIn] of cutsOf(12, answer.length)) {
      const harness = Harness.connected().cutAfter(bytesOut).advance(4_000)
      if (harness.link === 'open') harness.receive(answer.subarray(0, bytesIn))
      if (harness.link === 'open') harness.cut()
      harness.takeSent()
      harness.connect().advance(4_000)
      expect(harness.takeSent()).toEqual(['connect', 'ping'])
    }
  })

  test('A2, A3: of auth, which is settled by the link that carries it through', () => {
    const answer = reply({ xid: -4, zxid: 0n, err: 0 })
    const frame = 4 + 8 + 4 + 4 + 'digest'.length + 4 + 'user:secret'.length
    for (const [bytesOut, bytesIn] of cutsOf(frame, answer.length)) {
      const harness = Harness.connected().cutAfter(bytesOut)
      const fates: unknown[] = []
      const auth = Buffer.from('user:secret')
      const credential = new Credential('digest', auth, (failure) => fates.push(failure))
      harness.session.addCredential(credential)
      harness.turn().takeSent()
      if (harness.link === 'open') harness.receive(answer.subarray(0, bytesIn))
      if (harness.link === 'open') harness.cut()
      expect(fates).toEqual([])
      harness.connect()
      expect(harness.takeSent()).toEqual(['connect', 'auth'])
      harness.reply(-4)
      expect(fates).toEqual([undefined])
    }
  })

  test.each([
    ['setWatches', 'data'],
    ['setWatches2', 'persistent'],
  ] as const)('A2, A3: of %s, and no watch is lost', (name, table) => {
    const answer = reply({ xid: 1, zxid: 1n, err: 0 })
    const frame = frameOfWatches(table)
    for (const [bytesOut, bytesIn] of cutsOf(frame, answer.length)) {
      const harness = Harness.connected()
      harness.watches.add(table, '/a', () => undefined)
      harness.cut().open().takeSent()
      harness.cutAfter(bytesOut).accept()
      if (harness.link === 'open') harness.receive(answer.subarray(0, bytesIn))
      if (harness.link === 'open') harness.cut()
      harness.takeSent()
      harness.connect()
      expect(harness.takeSent()).toEqual(['connect', name])
      expect(harness.states.at(-1)).toBe('connected')
    }
  })

  test('A2, A3: of closeSession, after which nothing is told at all', () => {
    const answer = reply({ xid: 1, zxid: 1n, err: 0 })
    for (const [bytesOut, bytesIn] of cutsOf(12, answer.length)) {
      const harness = Harness.connected().cutAfter(bytesOut).close()
      if (harness.link === 'open') harness.receive(answer.subarray(0, bytesIn))
      if (harness.link === 'open') harness.cut()
      expect(harness.states).toEqual(['connected', 'closing', 'closed'])
      expect(harness.session.nextDeadlineMs).toBe(Infinity)
    }
  })
})

/** The session is whole: the next link gets whole frames, and its first reply is understood. */
function expectFreshLink(harness: Harness, operation: Operation): void {
  harness.takeSent()
  harness.connect()
  const resent = operation.effect === 'read' ? [operation.name] : []
  expect(harness.takeFrames().map(nameOf)).toEqual(['connect', ...resent, 'getData'])
  if (operation.effect === 'read') harness.answer({ body: sampleResponse(operation) })
  harness.answer()
  const [write] = harness.submit(setData('/after'))
  harness.turn().answer()
  expect(write.fate).toBe('succeeded')
  expect(harness.states).toEqual(['connected', 'suspended', 'connected'])
}

function requestLengthOf(operation: Operation): number {
  const harness = Harness.connected()
  harness.submit(sampleCall(operation))
  return 4 + harness.turn().takeFrames()[0]!.bytes.length
}

function frameOfWatches(table: 'data' | 'persistent'): number {
  const harness = Harness.connected()
  harness.watches.add(table, '/a', () => undefined)
  harness.cut().connect()
  return 4 + harness.takeFrames().at(-1)!.bytes.length
}

/** Every byte of a request, then, with the whole request out, every byte of its reply. */
function cutsOf(requestLength: number, replyLength: number): [number, number][] {
  return [
    ...Array.from({ length: requestLength }, (_, at): [number, number] => [at, 0]),
    ...Array.from({ length: replyLength }, (_, at): [number, number] => [Infinity, at]),
  ]
}

function nameOf({ operation }: { readonly operation: Operation }): string {
  return operation.name
}

function header(err: number) {
  return { xid: 1, zxid: 1n, err }
}
