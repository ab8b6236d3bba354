import { describe, expect, test } from 'vitest'
import { type OperationName, operations } from '../../../src/protocol/operations.ts'
import type { ReplyHeader, RequestHeader } from '../../../src/protocol/records.ts'
import { capturedFrames, capturedVersion } from '../../fixtures/captured-frames.ts'
import { bytesOfHex, decodeFrame, encodeFrame } from '../../support/frames.ts'

const known = capturedFrames.map((frame) => {
  const bytes = bytesOfHex(frame.hex)
  return { ...frame, bytes, value: decodeFrame(frame.kind, bytes) }
})

describe(`frames captured from Apache ZooKeeper ${capturedVersion}`, () => {
  known.forEach(({ kind, meaning, bytes, value }, index) => {
    test(`frame ${index}, ${kind}: ${meaning}: encodes to the bytes it was decoded from`, () => {
      expect(encodeFrame(kind, value).toString('hex')).toBe(bytes.toString('hex'))
    })
  })

  test('show a request and a successful reply of every operation that may stand alone', () => {
    const { check: _onlyInsideMulti, ...alone } = operations
    for (const name of Object.keys(alone) as OperationName[]) {
      const kinds = known.filter(({ value }) => errOf(value) === 0).map(({ kind }) => kind)
      expect(kinds).toContain(`${name} request`)
      expect(kinds).toContain(`${name} reply`)
    }
  })

  test('pair every reply with the request before it by its xid', () => {
    let asked: number | null = null
    for (const { kind, value } of known) {
      if (kind.startsWith('connect') || kind === 'notification') continue
      const { xid } = (value as { header: RequestHeader | ReplyHeader }).header
      if (!kind.endsWith('request')) expect(xid).toBe(asked)
      asked = xid
    }
  })

  test('show each result that a part of a multi can have', () => {
    const results = known
      .filter(({ kind }) => kind === 'multi reply' || kind === 'multiRead reply')
      .flatMap(({ value }) => (value as { body: { type: number; err: number }[] }).body)
    const seen = new Set(results.map(({ type, err }) => `${type}: ${err}`))
    expect([...seen].sort()).toEqual(
      [
        ...['1: 0', '2: 0', '4: 0', '5: 0', '8: 0', '13: 0', '15: 0'],
        ...['-1: 0', '-1: -2', '-1: -101', '-1: -110'],
      ].sort(),
    )
  })
})

function errOf(value: unknown): number {
  return (value as { header?: Partial<ReplyHeader> }).header?.err ?? 0
}
