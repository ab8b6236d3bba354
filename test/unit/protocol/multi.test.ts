import { describe, expect, test } from 'vitest'
import { type Codec, Reader, Writer } from '../../../src/protocol/bytes.ts'
import { ProtocolError } from '../../../src/protocol/errors.ts'
import { MultiRequest, MultiResponse } from '../../../src/protocol/multi.ts'
import { bytesOfHex } from '../../support/frames.ts'

const end = 'ffffffff 01 ffffffff'
const deletePart = '00000002 00 ffffffff 00000002 2f61 ffffffff'
const createResult = '00000001 00 00000000 00000002 2f61'

describe('MultiRequest', () => {
  test('may have no parts', () => {
    expect(read(MultiRequest, end)).toEqual([])
    expect(written(MultiRequest, [])).toEqual(bytesOfHex(end))
  })

  test.for([3, 6, 7, 11, 14, 22, -1, -11])('refuses a part with the opcode %d', (type) => {
    const hex = Buffer.from(Int32Array.of(type).buffer).swap32().toString('hex')
    const fault = `a multi contains an operation of type ${type}`
    expect(() => read(MultiRequest, `${hex} 00 ffffffff ${end}`)).toThrow(fault)
    expect(() => written(MultiRequest, [{ type, request: {} }])).toThrow(ProtocolError)
  })

  test('is refused wherever it is cut, since its end is missing', () => {
    expectEveryCutRefused(MultiRequest, `${deletePart} ${deletePart} ${end}`)
  })

  test('ends where a header is done, whatever type that header has', () => {
    const value = read(MultiRequest, `${deletePart} 00000002 01 00000000`)
    expect(value).toEqual([{ type: 2, request: { path: '/a', version: -1 } }])
  })
})

describe('MultiResponse', () => {
  test('may have no results', () => {
    expect(read(MultiResponse, end)).toEqual([])
    expect(written(MultiResponse, [])).toEqual(bytesOfHex(end))
  })

  test('does not end at an error, although that has the type of the end', () => {
    const error = 'ffffffff 00 ffffff92 ffffff92'
    expect(read(MultiResponse, `${error} ${createResult} ${end}`)).toEqual([
      { type: -1, err: -110, response: undefined },
      { type: 1, err: 0, response: { path: '/a' } },
    ])
  })

  test.for([0, 3, 14, 19, 21])('refuses a result of the type %d', (type) => {
    const hex = Buffer.from(Int32Array.of(type).buffer).swap32().toString('hex')
    const fault = `a multi contains an operation of type ${type}`
    expect(() => read(MultiResponse, `${hex} 00 00000000 ${end}`)).toThrow(fault)
    expect(() => written(MultiResponse, [{ type, err: 0, response: {} }])).toThrow(ProtocolError)
  })

  test('is refused wherever it is cut, since its end is missing', () => {
    expectEveryCutRefused(MultiResponse, `${createResult} 0000000d 00 00000000 ${end}`)
  })
})

function read<T>(codec: Codec<T>, hex: string): T {
  const bytes = bytesOfHex(hex)
  return codec.read(new Reader().reset(bytes, 0, bytes.length))
}

function written<T>(codec: Codec<T>, value: T): Buffer {
  const writer = new Writer()
  codec.write(writer, value)
  return writer.written
}

function expectEveryCutRefused(codec: Codec<unknown>, hex: string): void {
  const bytes = bytesOfHex(hex)
  for (let cut = 0; cut < bytes.length; cut++) {
    expect(() => codec.read(new Reader().reset(bytes, 0, cut))).toThrow(ProtocolError)
  }
}
