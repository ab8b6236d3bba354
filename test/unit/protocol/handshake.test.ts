import { describe, expect, test } from 'vitest'
import { Reader, Writer } from '../../../src/protocol/bytes.ts'
import { ProtocolError } from '../../../src/protocol/errors.ts'
import {
  ConnectRequest,
  ConnectResponse,
  handshakeBytesMax,
} from '../../../src/protocol/handshake.ts'

const passwd = Buffer.alloc(16, 7)
const request = { protocolVersion: 0, lastZxidSeen: 5n, timeOut: 1, sessionId: -1n, passwd }
const response = { protocolVersion: 0, timeOut: 1, sessionId: -1n, passwd }

describe.for([
  ['ConnectRequest', ConnectRequest, request, 44],
  ['ConnectResponse', ConnectResponse, response, 36],
] as const)('%s', ([name, codec, fields, bytesWithoutReadOnly]) => {
  const bytes = (readOnly: boolean | null) => {
    const writer = new Writer()
    codec.write(writer, { ...request, ...fields, readOnly })
    return writer.written
  }
  const read = (frame: Buffer, end: number) => codec.read(new Reader().reset(frame, 0, end))

  test('carries its name', () => {
    expect(codec.name).toBe(name)
  })

  test.for([true, false, null])('carries readOnly: %s', (readOnly) => {
    const frame = bytes(readOnly)
    expect(frame).toHaveLength(bytesWithoutReadOnly + (readOnly === null ? 0 : 1))
    expect(read(frame, frame.length)).toEqual({ ...fields, readOnly })
  })

  test('may lack its last byte, and no other', () => {
    const frame = bytes(true)
    expect(read(frame, bytesWithoutReadOnly).readOnly).toBeNull()
    for (let end = 0; end < bytesWithoutReadOnly; end++) {
      expect(() => read(frame, end)).toThrow(ProtocolError)
    }
  })

  test('is shorter than what is accepted before the handshake', () => {
    expect(bytes(true).length).toBeLessThan(handshakeBytesMax)
  })
})

test('the header by which a read-only server refuses a session is no ConnectResponse', () => {
  const header = Buffer.from('00000000 0000000000000000 ffffff89'.replaceAll(' ', ''), 'hex')
  expect(() => ConnectResponse.read(new Reader().reset(header, 0, header.length))).toThrow(
    ProtocolError,
  )
})
