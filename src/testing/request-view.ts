import { type Operation, operationByCode, type Reader, type records } from '../protocol/index.ts'
import { pathOf, pathOfPart } from './processor.ts'

/** A request that has come in. */
export interface RequestView {
  readonly sessionId: bigint
  /** As ZooKeeper names it: `getData`, `create2`, `ping`; `opcode 99` for one that it does not know. */
  readonly operation: string
  /** The znodes it names: none for a ping, one for most, those of its parts for a multi. */
  readonly paths: readonly string[]
}

/** Reads the body to its end, if it can be decoded. */
export function viewOf(
  sessionId: bigint,
  { type }: records.RequestHeader,
  body: Reader,
): RequestView {
  const operation = operationByCode.get(type)
  if (operation === undefined) return { sessionId, operation: `opcode ${type}`, paths: [] }
  return { sessionId, operation: operation.name, paths: pathsOf(operation, body) }
}

function pathsOf(operation: Operation, body: Reader): readonly string[] {
  try {
    const request = operation.request.read(body)
    if (Array.isArray(request)) return request.map(pathOfPart)
    const path = pathOf(operation, request)
    return path === null ? [] : [path]
  } catch {
    return []
  }
}
