import { isZooKeeperError } from '../protocol/errors.ts'
import { type MultiResult } from '../protocol/multi.ts'
import { type Operation, operations } from '../protocol/operations.ts'
import { Budget } from './budget.ts'
import { type CallPart } from './multi-call.ts'
import { type CallOptions } from './options.ts'
import { owned } from './requests.ts'
import { type View } from './view.ts'

const { create, create2, createContainer, createTTL, multi } = operations

/** A transaction of which not every server knows all parts that knows transactions. */
const modernMulti: Operation = { ...multi, since: create2.since, isUniversal: false }
const modern: ReadonlySet<number> = new Set(
  [create2, createContainer, createTTL].map((o) => o.code),
)

/** A transaction, also on servers that know only the oldest create, which does not answer a Stat. */
export function callMulti(
  view: View,
  parts: readonly CallPart[],
  options: CallOptions | undefined,
): Promise<readonly MultiResult[]> {
  if (!parts.some(isModern)) return view.multi(multi, parts, options)
  const { capabilities } = view.keeper.session.pipeline
  const isRefused = capabilities.isRefused(create2) || capabilities.isRefused(modernMulti)
  return capabilities.isKnown(modernMulti) && !isRefused
    ? view.multi(modernMulti, parts, options)
    : commitCautiously(view, parts, options, isRefused)
}

async function commitCautiously(
  view: View,
  parts: readonly CallPart[],
  options: CallOptions | undefined,
  isRefused: boolean,
): Promise<readonly MultiResult[]> {
  const plain = parts.map(plainOf) // it may be sent twice
  if (plain.some(isModern)) return view.multi(modernMulti, parts, options)
  if (isRefused) return view.multi(multi, plain, options)
  const { capabilities } = view.keeper.session.pipeline
  const budget = new Budget(view, options, { op: multi.name })
  try {
    return await view.multi(modernMulti, parts, options)
  } catch (error) {
    if (isZooKeeperError(error, 'MARSHALLING_ERROR')) capabilities.refuse(modernMulti)
    else if (!isZooKeeperError(error, 'UNIMPLEMENTED') || error.since === null) throw error
  }
  return view.multi(multi, plain, budget.options())
}

function isModern({ type }: CallPart): boolean {
  return modern.has(type)
}

/** The same znode, without its Stat. */
function plainOf(part: CallPart): CallPart {
  const { type } = part
  return { ...part, type: type === create2.code ? create.code : type, request: owned(part.request) }
}
