/** What a look at a znode says of a write to it whose reply was lost. */
import { operations } from '../protocol/operations.ts'
import { type Stat } from '../protocol/records.ts'
import { Budget } from './budget.ts'
import { type Doubt, untilKnown, type Verdict } from './fate.ts'
import { readIfThere } from './if-there.ts'
import { type CallOptions } from './options.ts'
import { callCreate } from './plain-create.ts'
import { type CreateOptions, type Data, owned, refuse } from './requests.ts'
import { type CreateResult, type DataResult } from './results.ts'
import { createdOf, statOf } from './shapes.ts'
import { operationOfMode } from './requests.ts'
import { type View } from './view.ts'

/** For writes whose lost reply is to be resolved instead of being reported. */
export interface IdempotentOption {
  /**
   * Finds out what happened when a connection is lost before the reply is there: the call resolves if
   * the write was applied, and sends it again if it was not. Where neither can be known, it rejects with
   * `outcome: 'unknown'`; never does it take another's write for its own.
   *
   * `'unique-data'` promises that nobody else ever writes the same bytes to this znode, because they
   * contain an id made for this call, say. Then the bytes are the proof. Without it, there is none of
   * the create of a persistent znode, nor of a setData with a version.
   *
   * Default false: a lost reply rejects with `CONNECTION_LOSS` and `outcome: 'unknown'`.
   */
  readonly idempotent?: boolean | 'unique-data' | undefined
}

export function isIdempotent<O extends IdempotentOption>(
  options: O | undefined,
): options is O & { readonly idempotent: true | 'unique-data' } {
  return options?.idempotent !== undefined && options.idempotent !== false
}

export async function createIdempotently(
  view: View,
  path: string,
  data: Data,
  options: CreateOptions & CallOptions & IdempotentOption,
): Promise<CreateResult> {
  const mode = options.mode ?? 'persistent'
  if (mode.includes('sequential')) {
    refuse('a sequential create is made safe with protect, not with idempotent')
  }
  const operation = operationOfMode(mode)
  const request = owned(view.requests.create(path, data, options))
  const isUnique = isUniqueData(options)
  return untilKnown<CreateResult>(
    view,
    new Budget(view, options, { op: operation.name, path }),
    (left) => callCreate(view, operation, () => request, createdOf, left),
    async (doubt, left) => {
      const now = await readIfThere<DataResult>(view, operations.getData, path, left)
      if (now === null) return 'guarded'
      if (now.stat.czxid <= doubt.zxid) return 'not-applied'
      const isProven =
        mode === 'ephemeral'
          ? isOwn(now, request.data, doubt)
          : isUnique && isFirst(now, request.data)
      return isProven ? { result: { path, stat: now.stat } } : 'guarded'
    },
  )
}

export async function setDataIdempotently(
  view: View,
  path: string,
  data: Data,
  options: CallOptions & IdempotentOption & { readonly version?: number | undefined },
): Promise<Stat> {
  const operation = operations.setData
  const request = owned(view.requests.setData(path, data, options))
  const isUnique = isUniqueData(options)
  return untilKnown<Stat>(
    view,
    new Budget(view, options, { op: operation.name, path }),
    (left) => view.call(operation, () => request, statOf, left),
    async (doubt, left) => {
      const now = await readIfThere<DataResult>(view, operations.getData, path, left)
      return judgeSetData(now, request, doubt, isUnique)
    },
  )
}

/**
 * A delete without a version asks for a state: that the znode be gone. So it is done when the znode is
 * gone, whoever removed it. One with a version claims to have removed what was seen, which nothing that
 * is left can prove.
 */
export async function deleteIdempotently(
  view: View,
  path: string,
  options: CallOptions & IdempotentOption & { readonly version?: number | undefined },
): Promise<void> {
  const operation = operations.delete
  isUniqueData(options)
  const request = view.requests.delete(path, options)
  await untilKnown<null>(
    view,
    new Budget(view, options, { op: operation.name, path }),
    (left) =>
      view.call(
        operation,
        () => request,
        () => null,
        left,
      ),
    async (doubt, left) => {
      const stat = await view.read<Stat | null>(operations.exists, path, statOf, left)
      if (stat === null) return request.version === -1 ? { result: null } : 'unknown'
      // Another znode than the one that was to be deleted is none of our business.
      return stat.czxid <= doubt.zxid ? 'not-applied' : 'unknown'
    },
  )
}

function judgeSetData(
  now: DataResult | null,
  { data, version }: { readonly data: Uint8Array | null; readonly version: number },
  { zxid }: Pick<Doubt, 'zxid'>,
  isUnique: boolean,
): Verdict<Stat> {
  if (now === null) return 'unknown'
  const { stat } = now
  if (stat.mzxid <= zxid) return 'not-applied'
  const isSame = isEqual(now.data, data)
  // Without a version it asks for a state, as a delete does: the znode holds the data, since the call.
  if (version === -1) return isSame ? { result: stat } : 'unknown'
  const isNext = stat.version === version + 1
  if (isNext && isSame && isUnique) return { result: stat }
  if (stat.czxid > zxid) return 'unknown' // deleted and created again: it hides what was before
  const cannotBe = stat.version <= version || (isNext && !isSame)
  return cannotBe ? 'not-applied' : 'guarded'
}

function isUniqueData({ idempotent }: IdempotentOption): boolean {
  if (typeof idempotent === 'boolean' || idempotent === 'unique-data') {
    return idempotent === 'unique-data'
  }
  return refuse(`idempotent cannot be "${String(idempotent)}"`)
}

/** Whether the session that sent the create owns the znode, and nothing contradicts that. */
function isOwn({ data, stat }: DataResult, sent: Uint8Array | null, { sessionId }: Doubt): boolean {
  return stat.ephemeralOwner === sessionId && (stat.version > 0 || isEqual(data, sent))
}

function isFirst({ data, stat }: DataResult, sent: Uint8Array | null): boolean {
  return stat.version === 0 && isEqual(data, sent)
}

function isEqual(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0
}
