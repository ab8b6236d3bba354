/** A real request and its successful reply of every operation, for tests that go through them all. */
import { type Operation, type OperationName, operations } from '../../src/protocol/operations.ts'
import { capturedFrames } from '../fixtures/captured-frames.ts'
import { bytesOfHex, decodeFrame, type FrameKind } from './frames.ts'
import { TestCall } from './test-call.ts'

/** The session sends these by itself, or only as parts of others. */
const uncalled: ReadonlySet<OperationName> = new Set<OperationName>([
  'check',
  'ping',
  'auth',
  'sasl',
  'setWatches',
  'setWatches2',
  'closeSession',
])

/** Every operation that an application may call. A new one is among them by itself. */
export const callable: readonly Operation[] = Object.values<Operation>(operations).filter(
  ({ name }) => !uncalled.has(name as OperationName),
)

/** A call with the request that was once captured. */
export function sampleCall(operation: Operation): TestCall {
  const request = bodyOf(operation, 'request')
  const path = operation.path === null ? '' : (request as Record<string, string>)[operation.path]!
  return new TestCall(operation, request, path, null)
}

/** What a real server once answered. */
export function sampleResponse(operation: Operation): unknown {
  return bodyOf(operation, 'reply')
}

function bodyOf({ name }: Operation, side: 'request' | 'reply'): unknown {
  const kind = `${name as OperationName} ${side}` satisfies FrameKind
  for (const frame of capturedFrames) {
    if (frame.kind !== kind) continue
    const { header, body } = decodeFrame(kind, bytesOfHex(frame.hex)) as {
      readonly header: { readonly err?: number }
      readonly body: unknown
    }
    if ((header.err ?? 0) === 0) return body
  }
  throw new Error(`no ${kind} was captured: see scripts/capture-frames.ts`)
}
