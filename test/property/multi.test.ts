import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Codec, Reader, Writer } from '../../src/protocol/bytes.ts'
import { ProtocolError } from '../../src/protocol/errors.ts'
import { MultiRequest, MultiResponse } from '../../src/protocol/multi.ts'
import { damaged, valueOf } from './schema-arbitraries.ts'

const part = fc.oneof(
  ...(
    [
      [1, 'CreateRequest'],
      [2, 'DeleteRequest'],
      [4, 'GetDataRequest'],
      [5, 'SetDataRequest'],
      [8, 'GetChildrenRequest'],
      [13, 'CheckVersionRequest'],
      [15, 'CreateRequest'],
      [19, 'CreateRequest'],
      [21, 'CreateTTLRequest'],
    ] as const
  ).map(([type, record]) => fc.record({ type: fc.constant(type), request: valueOf(record) })),
)

const nothing = fc.constant(undefined)
const result = fc.oneof(
  fc.record({ type: fc.constant(-1), err: fc.integer(), response: nothing }),
  ...(
    [
      [1, valueOf('CreateResponse')],
      [2, nothing],
      [4, valueOf('GetDataResponse')],
      [5, valueOf('SetDataResponse')],
      [8, valueOf('GetChildrenResponse')],
      [13, nothing],
      [15, valueOf('Create2Response')],
    ] as const
  ).map(([type, response]) => {
    return fc.record({ type: fc.constant(type), err: fc.constant(0), response })
  }),
)

describe.for([
  ['MultiRequest', MultiRequest, fc.array(part, { maxLength: 5 })],
  ['MultiResponse', MultiResponse, fc.array(result, { maxLength: 5 })],
] as [string, Codec<unknown>, fc.Arbitrary<unknown>][])('%s', ([name, codec, list]) => {
  test('carries its name', () => {
    expect(codec.name).toBe(name)
  })

  test('is read as it was written', () => {
    fc.assert(
      fc.property(list, (any) => {
        expect(read(codec, written(codec, any))).toEqual(any)
      }),
    )
  })

  test('is read from any bytes, or refused as a ProtocolError', () => {
    fc.assert(
      fc.property(damaged(list.map((any) => written(codec, any))), (bytes) => {
        try {
          read(codec, bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
      { numRuns: 300 },
    )
  })
})

function written(codec: Codec<unknown>, value: unknown): Buffer {
  const writer = new Writer()
  codec.write(writer, value)
  return writer.written
}

function read(codec: Codec<unknown>, bytes: Buffer): unknown {
  return codec.read(new Reader().reset(bytes, 0, bytes.length))
}
