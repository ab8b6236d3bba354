import { type Operation, operations } from '../../src/protocol/operations.ts'
import { Stat } from '../../src/protocol/records.ts'
import { Call, type Failure } from '../../src/session/call.ts'
import { type Watcher } from '../../src/session/watches.ts'

/** A call that notes what becomes of it, and refuses to be settled twice. */
export class TestCall extends Call {
  response: unknown = null
  failure: Failure | null = null
  /** `'pending'`, `'succeeded'`, or code and outcome of the failure: `'CONNECTION_LOSS unknown'`. */
  fate = 'pending'
  settlements = 0
  /** Called when it settles. */
  onSettled: (call: this) => void = () => {}

  override succeed(response: unknown): void {
    this.response = response
    this.#settle('succeeded')
  }

  override fail(failure: Failure): void {
    this.failure = failure
    this.#settle(`${failure.code} ${failure.outcome ?? ''}`)
  }

  #settle(fate: string): void {
    this.settlements++
    if (this.fate !== 'pending') throw new Error(`${this.fate} first, then ${fate}`)
    this.fate = fate
    this.onSettled(this)
  }
}

export function fatesOf(calls: readonly TestCall[]): string[] {
  return calls.map(({ fate }) => fate)
}

export function getData(path: string, watcher: Watcher | null = null): TestCall {
  return new TestCall(operations.getData, { path, watch: watcher !== null }, path, watcher)
}

export function exists(path: string, watcher: Watcher | null = null): TestCall {
  return new TestCall(operations.exists, { path, watch: watcher !== null }, path, watcher)
}

export function getChildren(path: string, watcher: Watcher | null = null): TestCall {
  return new TestCall(operations.getChildren, { path, watch: watcher !== null }, path, watcher)
}

export function addWatch(path: string, mode: number, watcher: Watcher): TestCall {
  return new TestCall(operations.addWatch, { path, mode }, path, watcher)
}

export function setData(path: string, data: Uint8Array | string = ''): TestCall {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  return new TestCall(operations.setData, { path, data: bytes, version: -1 }, path, null)
}

/** Neither reads nor writes: it concerns this connection alone. */
export function removeWatches(path: string): TestCall {
  return new TestCall(operations.removeWatches, { path, type: 3 }, path, null)
}

export const stat = new Stat(1n, 2n, 3, 4, 5, 6, 7, 0n, 8, 9, 10n)

/** A decodable answer to any operation that the tests send. */
export function responseTo({ name }: Operation): unknown {
  switch (name) {
    case 'getData':
      return { data: null, stat }
    case 'getChildren':
      return { children: [] }
    case 'exists':
    case 'setData':
      return { stat }
    case 'whoAmI':
      return { clientInfo: [] }
    case 'addWatch':
      return { err: 0 }
    case 'sasl':
      return { token: null }
    default:
      return undefined
  }
}
