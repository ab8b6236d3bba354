import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type OperationName, operations } from '../../src/protocol/operations.ts'
import { capturedFrames } from '../fixtures/captured-frames.ts'
import { bytesOfHex, decodeFrame } from '../support/frames.ts'
import { callable } from '../support/sample-frames.ts'
import { Harness } from '../support/session-harness.ts'
import { TestCall } from '../support/test-call.ts'
import { placed } from './schema-arbitraries.ts'

// A conversation that a real server was seen to have is held again, with its answers cut anyhow, at any
// place of any memory. What becomes of the calls must not depend on it.

const names: ReadonlySet<string> = new Set(callable.map(({ name }) => name))
const { requests, answers } = conversation()
const stream = Buffer.concat(answers)
const whole = replay([stream])

describe('R31: the answers of a recorded conversation', () => {
  test('are understood', () => {
    expect(requests.length).toBeGreaterThan(30)
    expect(whole.filter((line) => line.includes(': succeeded')).length).toBeGreaterThan(25)
    expect(whole.filter((line) => line.startsWith('event')).length).toBeGreaterThan(4)
  })

  test('are the same one byte at a time', () => {
    expect(replay(Array.from(stream, (byte) => Buffer.of(byte)))).toEqual(whole)
  })

  test('are the same cut at every byte', () => {
    for (let at = 0; at <= stream.length; at++) {
      const pieces = [stream.subarray(0, at), stream.subarray(at)]
      if (String(replay(pieces)) !== String(whole)) expect.fail(`cut at ${at}`)
    }
  })

  test('are the same in any pieces, each a view into a larger memory', () => {
    const cuts = fc.array(fc.nat({ max: stream.length }), { maxLength: 20 })
    fc.assert(
      fc.property(cuts, fc.nat({ max: 9 }), (places, offset) => {
        const at = [0, ...[...places].sort((a, b) => a - b), stream.length]
        const pieces = at.slice(1).map((end, index) => stream.subarray(at[index], end))
        expect(replay(pieces, offset)).toEqual(whole)
      }),
    )
  })
})

/** What was heard, in order, one line each. */
function replay(pieces: readonly Buffer[], offset = 0): string[] {
  const harness = Harness.connected()
  const heard: string[] = []
  harness.watches.add('recursive', '/', ({ type, path }) => heard.push(`event ${type} ${path}`))
  for (const { name, body } of requests) {
    const call = new TestCall(operations[name], body, '', null)
    call.onSettled = ({ fate, response }) => {
      heard.push(`${name}: ${fate} ${JSON.stringify(response, withoutBigints)}`)
    }
    harness.submit(call)
  }
  harness.turn()
  for (const piece of pieces) {
    const { bytes, start } = placed(piece, offset)
    harness.session.handleBytes(harness.nowMs, bytes.subarray(start, start + piece.length))
    bytes.fill(0xee) // as the next read would
  }
  return heard
}

/** The first connection of the fixture: what a client calls, and all that its server sends. */
function conversation() {
  const requests: { readonly name: OperationName; readonly body: unknown }[] = []
  const answers: Buffer[] = []
  let isOurs = true
  for (const { kind, hex } of capturedFrames) {
    if (kind === 'closeSession request') break
    const bytes = bytesOfHex(hex)
    const [name, side] = kind.split(' ') as [OperationName, string]
    if (side === 'request' && kind !== 'connect request') {
      isOurs = names.has(name)
      if (!isOurs) continue
      const { body } = decodeFrame(kind, bytes) as { readonly body: unknown }
      requests.push({ name, body })
    } else if (kind === 'notification') {
      answers.push(bytes)
    } else if (isOurs && (side === 'reply' || kind === 'error reply')) {
      bytes.writeInt32BE(requests.length, 4) // the xid that it has this time
      answers.push(bytes)
    }
  }
  return { requests, answers }
}

function withoutBigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
