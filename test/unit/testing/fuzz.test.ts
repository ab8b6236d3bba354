/**
 * Invariant: whatever bytes arrive, and however they are cut, nothing is thrown at whoever handed
 * them in, and the other connections go on as if nothing had happened.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { operations, records } from '../../../src/protocol/index.ts'
import { usualSchemes } from '../../../src/testing/acl.ts'
import { Keeper } from '../../../src/testing/keeper.ts'
import { profileOf } from '../../../src/testing/profile.ts'
import { ManualClock } from './manual-clock.ts'
import { framed, newSessionFrame, requestFrame } from './raw-client.ts'

const opcodes = Object.values(operations).map(({ code }) => code)

/** A frame that begins like a request and goes on like nothing in particular. */
const request = fc
  .record({
    type: fc.oneof(fc.constantFrom(...opcodes), fc.integer()),
    body: fc.uint8Array({ maxLength: 60 }),
  })
  .map(({ type, body }) =>
    framed((writer) => {
      records.RequestHeader.write(writer, { xid: 1, type })
      writer.raw(body)
    }),
  )

const stream = fc
  .array(fc.oneof({ weight: 9, arbitrary: request }, fc.uint8Array({ maxLength: 20 })))
  .map((parts) => Buffer.concat([newSessionFrame, ...parts]))

test('fuzz: strange bytes cost one connection at most, whole and byte by byte', () => {
  fc.assert(
    fc.property(stream, fc.boolean(), (bytes, isWhole) => {
      const keeper = newKeeper()
      const bystander = open(keeper)
      bystander.cable.handleBytes(newSessionFrame)
      const stranger = open(keeper)
      for (const chunk of isWhole ? [bytes] : cut(bytes)) stranger.cable.handleBytes(chunk)
      stranger.cable.handleClosed()

      bystander.cable.handleBytes(requestFrame(operations.sync, { path: '/' }, 7))
      bystander.cable.link.close()

      const written = Buffer.concat(bystander.written).toString('hex')
      expect(written).toMatch(/0000001500000007.{16}00000000000000012f$/)
    }),
  )
})

test('fuzz: bytes that are no handshake open no session', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
      const keeper = newKeeper()
      const { cable } = open(keeper)
      for (const chunk of cut(bytes)) cable.handleBytes(chunk)
      expect(keeper.state.sessions.size).toBe(0)
    }),
  )
})

function newKeeper(): Keeper {
  return new Keeper({
    clock: new ManualClock(),
    profile: profileOf('3.9'),
    serverId: 1,
    tickTimeMs: 200,
    sessionTimeoutMsMin: 400,
    sessionTimeoutMsMax: 60_000,
    logEntriesMax: 10,
    hasExtendedTypes: true,
    enforcesQuotas: false,
    superDigest: null,
    schemes: usualSchemes,
    sweepIntervalMs: 1000,
  })
}

function open(keeper: Keeper) {
  const written: Buffer[] = []
  const ignore = (): void => undefined
  const remoteAddress = '127.0.0.1'
  const write = (bytes: Buffer): void => void written.push(bytes)
  return { written, cable: keeper.accept({ remoteAddress, write, end: ignore, reset: ignore }) }
}

function cut(bytes: Uint8Array): Buffer[] {
  return Array.from(bytes, (byte) => Buffer.of(byte))
}
