import { type Codec, Empty, Reader, Writer } from '../../src/protocol/bytes.ts'
import { FrameSplitter } from '../../src/protocol/framing.ts'
import { ConnectRequest, ConnectResponse } from '../../src/protocol/handshake.ts'
import { type Operation, type OperationName, operations } from '../../src/protocol/operations.ts'
import { ReplyHeader, RequestHeader, WatcherEvent } from '../../src/protocol/records.ts'

/**
 * What a frame is, which only the conversation around it tells. Requests go to the server, all others
 * to the client; an `error reply` is a reply without a body, whichever operation failed.
 */
export type FrameKind =
  | 'connect request'
  | 'connect response'
  | 'notification'
  | 'error reply'
  | `${OperationName} request`
  | `${OperationName} reply`

/** A frame of a fixture. */
export interface KnownFrame {
  readonly kind: FrameKind
  readonly meaning: string
  /** The whole frame with its length in front; spaces and line breaks are for the reader. */
  readonly hex: string
}

export function bytesOfHex(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
}

export function encodeFrame(kind: FrameKind, value: unknown): Buffer {
  const writer = new Writer(16) // small, so that it has to grow
  const start = writer.beginFrame()
  codecOf(kind).write(writer, value)
  writer.endFrame(start, Infinity)
  return writer.written
}

/** Decodes one frame by the same parts that a connection is made of; all its bytes must be used. */
export function decodeFrame(kind: FrameKind, bytes: Buffer): unknown {
  const splitter = new FrameSplitter(bytes.length)
  splitter.push(bytes)
  if (!splitter.next()) throw new Error('these bytes are less than a frame')
  const reader = new Reader().reset(splitter.bytes, splitter.start, splitter.end)
  const value = codecOf(kind).read(reader)
  const left = reader.remaining + bytes.length - splitter.end
  if (left > 0) throw new Error(`${left} bytes are left over`)
  return value
}

function codecOf(kind: FrameKind): Codec<unknown> {
  if (kind === 'connect request') return ConnectRequest
  if (kind === 'connect response') return ConnectResponse
  if (kind === 'notification') return headed(ReplyHeader, WatcherEvent)
  if (kind === 'error reply') return headed(ReplyHeader, Empty)
  const [name, side] = kind.split(' ') as [OperationName, 'request' | 'reply']
  const { request, response } = operations[name] as Operation
  return side === 'request' ? headed(RequestHeader, request) : headed(ReplyHeader, response)
}

function headed<H, B>(header: Codec<H>, body: Codec<B>): Codec<unknown> {
  const codec: Codec<{ readonly header: H; readonly body: B }> = {
    name: `${header.name} and ${body.name}`,
    bytesMin: header.bytesMin + body.bytesMin,
    write(writer, value) {
      header.write(writer, value.header)
      body.write(writer, value.body)
    },
    read: (reader) => ({ header: header.read(reader), body: body.read(reader) }),
  }
  return codec
}
