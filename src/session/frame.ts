import { Writer } from '../protocol/bytes.ts'
import { type Call, type HeldFrame } from './call.ts'

/** A payload up to this size is copied at the call; a larger one goes out beside the other bytes. */
export const inlineBytesMax = 16 * 1024

/** Writers start small, because a process may have a thousand sessions, and grow on demand. */
const bytesInitial = 1024

export function newWriter(): Writer {
  return new Writer(bytesInitial, inlineBytesMax)
}

/**
 * Encodes header and request behind what the writer has.
 *
 * @throws what the codec throws for a request it cannot write, or `REQUEST_TOO_LARGE`. The writer is
 * then as it was.
 */
export function encodeFrame(
  writer: Writer,
  { operation }: Call,
  request: unknown,
  xid: number,
  bytesMax: number,
): void {
  const start = writer.beginFrame()
  try {
    const header = writer.reserve(8)
    writer.view.setInt32(header, xid)
    writer.view.setInt32(header + 4, operation.code)
    operation.request.write(writer, request)
    writer.endFrame(start, bytesMax)
  } catch (error) {
    writer.rewind(start)
    throw error
  }
}

/** What a writer has from `start` up to `end`, as a frame of its own. */
export function copyFrame(writer: Writer, start: number, end: number): HeldFrame {
  return {
    bytes: Buffer.from(writer.bytes.subarray(start, end)),
    borrowed: writer.borrowed
      .filter(({ at }) => at > start && at <= end)
      .map(({ at, bytes }) => ({ at: at - start, bytes })),
  }
}

/** Puts a copied frame behind what the writer has, under a new xid. */
export function appendFrame(writer: Writer, { bytes, borrowed }: HeldFrame, xid: number): void {
  const start = writer.offset
  writer.raw(bytes)
  writer.view.setInt32(start + 4, xid)
  for (const { at, bytes: payload } of borrowed) {
    writer.borrowed.push({ at: start + at, bytes: payload })
  }
}

/** The length of a held frame on the wire. */
export function frameLength({ bytes, borrowed }: HeldFrame): number {
  return borrowed.reduce((sum, payload) => sum + payload.bytes.length, bytes.length)
}
