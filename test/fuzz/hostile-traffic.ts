/**
 * Traffic that servers were seen to send, damaged at random, at a session that waits for it.
 *
 * Invariant: whatever arrives, nothing but a ProtocolError is thrown, each call settles once, the
 * session can still be closed, and no input takes long or leaves memory behind.
 */
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { ProtocolError } from '../../src/protocol/errors.ts'
import { type Operation } from '../../src/protocol/operations.ts'
import { WatcherEvent } from '../../src/protocol/records.ts'
import { Prng } from '../../src/testing/prng.ts'
import { callable, sampleCall, sampleResponse } from '../support/sample-frames.ts'
import { handshakeOf, Harness, reply } from '../support/session-harness.ts'
import { type TestCall } from '../support/test-call.ts'

export interface Fuzzing {
  readonly seed: number
  /** Inputs are numbered: each follows from the seed and its number alone. */
  readonly from: number
  readonly inputs: number
}

export interface FuzzReport {
  /** What a broken invariant threw, and the input that did it. */
  readonly failure: { readonly input: number; readonly error: unknown } | null
  /** How many inputs cost the connection: the others happened to be harmless. */
  readonly refused: number
  readonly slowestMs: number
}

/** Sends the inputs one after the other, up to the first that breaks the invariant. */
export function fuzz({ seed, from, inputs }: Fuzzing, watch = (_: number) => {}): FuzzReport {
  let [refused, slowestMs] = [0, 0]
  for (let input = from; input < from + inputs; input++) {
    const startedMs = performance.now()
    try {
      if (sendDamaged(new Prng(seed * 2 ** 32 + input))) refused++
    } catch (error) {
      return { failure: { input, error }, refused, slowestMs }
    }
    slowestMs = Math.max(slowestMs, performance.now() - startedMs)
    watch(input)
  }
  return { failure: null, refused, slowestMs }
}

/** @returns whether the session gave the connection up. */
function sendDamaged(prng: Prng): boolean {
  const harness = new Harness({ frameInBytesMax: prng.pick([200, 4 * 1024 * 1024]) })
  harness.watches.add('recursive', '/', () => undefined)
  harness.open()
  const calls = Array.from({ length: prng.int(1, 5) }, () => sampleCall(prng.pick(callable)))
  const isHandshakeHarmed = prng.chance(0.1)
  if (!isHandshakeHarmed) harness.accept()
  for (const call of calls) harness.submit(call)
  harness.turn()
  const traffic = trafficFor(calls, prng)
  const input = isHandshakeHarmed ? Buffer.concat([handshakeOf(), traffic]) : traffic
  const error = send(harness, damaged(input, prng), prng)
  if (error !== null && !(error instanceof ProtocolError)) throw error
  end(harness, calls)
  return error !== null
}

/** All replies, with a ping's answer and an event somewhere among them. */
function trafficFor(calls: readonly TestCall[], prng: Prng): Buffer {
  const frames = calls.map(({ operation }, index) => replyTo(operation, index + 1, prng))
  const event = { type: prng.int(1, 4), state: 3, path: '/a' }
  frames.splice(prng.int(0, frames.length), 0, reply(headerOf(-2)))
  frames.splice(prng.int(0, frames.length), 0, reply(headerOf(-1), WatcherEvent, event))
  return Buffer.concat(frames)
}

function replyTo(operation: Operation, xid: number, prng: Prng): Buffer {
  if (prng.chance(0.1)) return reply(headerOf(xid, -101))
  return reply(headerOf(xid), operation.response, responses.get(operation))
}

const responses = new Map(callable.map((operation) => [operation, sampleResponse(operation)]))

function headerOf(xid: number, err = 0) {
  return { xid, zxid: 7n, err }
}

function damaged(traffic: Buffer, prng: Prng): Buffer {
  let bytes: Buffer = Buffer.from(traffic)
  for (let left = prng.int(1, 4); left > 0; left--) bytes = prng.pick(damages)(bytes, prng)
  return bytes
}

const extremes = [0, 1, -1, -2, 15, 16, 255, 0x7fff_ffff, -0x8000_0000, 0x0100_0000]

const damages: readonly ((bytes: Buffer, prng: Prng) => Buffer)[] = [
  function changeByte(bytes, prng) {
    if (bytes.length > 0) bytes[prng.int(0, bytes.length - 1)] = prng.int(0, 255)
    return bytes
  },
  function changeNumber(bytes, prng) {
    if (bytes.length >= 4) bytes.writeInt32BE(prng.pick(extremes), prng.int(0, bytes.length - 4))
    return bytes
  },
  function cutShort(bytes, prng) {
    return bytes.subarray(0, prng.int(0, bytes.length))
  },
  function leaveOut(bytes, prng) {
    const at = prng.int(0, bytes.length)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + prng.int(1, 20))])
  },
  function putIn(bytes, prng) {
    const at = prng.int(0, bytes.length)
    const more = Buffer.from(Array.from({ length: prng.int(1, 20) }, () => prng.int(0, 255)))
    return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])
  },
  function repeat(bytes, prng) {
    const at = prng.int(0, bytes.length)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(prng.int(0, at))])
  },
]

/** In one piece, in a few, or byte by byte. What is thrown ends the connection, as in a driver. */
function send(harness: Harness, bytes: Buffer, prng: Prng): Error | null {
  const length = prng.pick([bytes.length, 7, 1])
  for (let at = 0; at < bytes.length; at += length) {
    const error = harness.receive(bytes.subarray(at, at + length))
    if (error !== null) return error
  }
  return null
}

/** Whatever has happened: everything comes to an end, each call once, as one of the codes we have. */
function end(harness: Harness, calls: readonly TestCall[]): void {
  harness.close().advance(2_000)
  if (harness.session.nextDeadlineMs !== Infinity) throw new Error('the session does not end')
  for (const { settlements, failure, operation } of calls) {
    // A TestCall throws by itself when it is settled again.
    if (settlements !== 1) throw new Error(`${operation.name} was not settled`)
    if (failure !== null && !(failure.code in errorCodes)) {
      throw new Error(`${operation.name} failed with ${failure.code}`)
    }
  }
}
