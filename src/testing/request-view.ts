import {
  type MultiPart,
  type Operation,
  operationByCode,
  type Reader,
  type records,
} from '../protocol/index.ts'
import { attempt } from './write.ts'

/** A request that has come in. */
export interface RequestView {
  readonly sessionId: bigint
  /** As ZooKeeper names it: `getData`, `create2`, `ping`; `opcode 99` for one that it does not know. */
  readonly operation: string
  /** The znode it names; null for a ping, and for a multi, whose parts do. */
  readonly path: string | null
  /** All znodes that it names, itself or in its parts. */
  readonly paths: readonly string[]
}

/** Reads the body to its end, if it can be decoded. */
export function viewOf(
  sessionId: bigint,
  { type }: records.RequestHeader,
  body: Reader,
): RequestView {
  const operation = operationByCode.get(type)
  if (operation === undefined) return viewWithout(sessionId, `opcode ${type}`)
  return { sessionId, operation: operation.name, ...pathsOf(operation, body) }
}

/** Of what names no znode. */
export function viewWithout(sessionId: bigint, operation: string): RequestView {
  return { sessionId, operation, path: null, paths: [] }
}

function pathsOf(operation: Operation, body: Reader): Pick<RequestView, 'path' | 'paths'> {
  const { err, result } = attempt(() => operation.request.read(body))
  if (Array.isArray(result)) return { path: null, paths: result.map(pathOfPart) }
  const path = err === 0 ? pathOf(operation, result) : null
  return { path, paths: path === null ? [] : [path] }
}

/** Null for operations that name no znode. */
export function pathOf({ path }: Operation, decoded: unknown): string | null {
  return path === null ? null : (decoded as Record<typeof path, string>)[path]
}

/** Whatever can stand in a multi names a znode. */
export function pathOfPart({ request }: MultiPart): string {
  return (request as { readonly path: string }).path
}
