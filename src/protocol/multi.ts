/**
 * The bodies of multi and multiRead: parts with a MultiHeader each, up to one whose `done` is set.
 *
 * Both codecs go both ways, so that a client and a server can be made from them. Source:
 * `MultiOperationRecord`, `MultiResponse`.
 */
import { type Codec, Empty, type Reader, type Writer } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import * as records from './records.ts'

/** One operation inside a multi or multiRead. */
export interface MultiPart {
  /** The opcode. */
  readonly type: number
  readonly request: unknown
}

/** The result of one operation of a multi or multiRead. */
export interface MultiResult {
  /** The opcode, -1 for an error. Servers answer every create that returns a Stat as create2. */
  readonly type: number
  /** 0, or the error code. In a failed multi, 0 marks the operations that were rolled back. */
  readonly err: number
  /** Undefined for an error, and for the operations that return nothing. */
  readonly response: unknown
}

const errorType = -1

const requestCodecs: ReadonlyMap<number, Codec<unknown>> = new Map<number, Codec<unknown>>([
  [1, records.CreateRequest],
  [2, records.DeleteRequest],
  [4, records.GetDataRequest],
  [5, records.SetDataRequest],
  [8, records.GetChildrenRequest],
  [13, records.CheckVersionRequest],
  [15, records.CreateRequest],
  [19, records.CreateRequest],
  [21, records.CreateTTLRequest],
])

const responseCodecs: ReadonlyMap<number, Codec<unknown>> = new Map<number, Codec<unknown>>([
  [errorType, records.ErrorResponse],
  [1, records.CreateResponse],
  [2, Empty],
  [4, records.GetDataResponse],
  [5, records.SetDataResponse],
  [8, records.GetChildrenResponse],
  [13, Empty],
  [15, records.Create2Response],
])

const end: records.MultiHeader = { type: errorType, done: true, err: -1 }

export const MultiRequest: Codec<readonly MultiPart[]> = {
  name: 'MultiRequest',
  bytesMin: records.MultiHeader.bytesMin,
  write(writer, parts) {
    for (const { type, request } of parts) {
      records.MultiHeader.write(writer, { type, done: false, err: -1 })
      codecOf(requestCodecs, type).write(writer, request)
    }
    records.MultiHeader.write(writer, end)
  },
  read(reader) {
    const parts: MultiPart[] = []
    for (;;) {
      const { type, done } = records.MultiHeader.read(reader)
      if (done) return parts
      parts.push({ type, request: codecOf(requestCodecs, type).read(reader) })
    }
  },
}

export const MultiResponse: Codec<readonly MultiResult[]> = {
  name: 'MultiResponse',
  bytesMin: records.MultiHeader.bytesMin,
  write(writer, results) {
    for (const result of results) writeResult(writer, result)
    records.MultiHeader.write(writer, end)
  },
  read(reader) {
    const results: MultiResult[] = []
    for (;;) {
      const header = records.MultiHeader.read(reader)
      if (header.done) return results
      results.push(readResult(reader, header))
    }
  },
}

function writeResult(writer: Writer, { type, err, response }: MultiResult): void {
  records.MultiHeader.write(writer, { type, done: false, err })
  if (type === errorType) records.ErrorResponse.write(writer, { err })
  else codecOf(responseCodecs, type).write(writer, response)
}

function readResult(reader: Reader, { type, err }: records.MultiHeader): MultiResult {
  const response: unknown = codecOf(responseCodecs, type).read(reader)
  return { type, err, response: type === errorType ? undefined : response }
}

function codecOf(codecs: ReadonlyMap<number, Codec<unknown>>, type: number): Codec<unknown> {
  const codec = codecs.get(type)
  if (codec === undefined) throw new ProtocolError(`a multi contains an operation of type ${type}`)
  return codec
}
