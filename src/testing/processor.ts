/**
 * From a request to its reply: finds the operation, decodes, executes, answers.
 *
 * Source: `ZooKeeperServer.processPacket`, `FinalRequestProcessor`.
 */
import {
  Empty,
  type MultiPart,
  MultiRequest,
  MultiResponse,
  type MultiResult,
  type Operation,
  operationByCode,
  operations,
  type Reader,
  records,
  Xid,
} from '../protocol/index.ts'
import { digestOf } from './acl.ts'
import { type Link, replyEmpty } from './link.ts'
import { type LogPart } from './operation-log.ts'
import { isReadPart, reads } from './reads.ts'
import { errnoOf, refuse } from './refusal.ts'
import { SaslExchange } from './sasl.ts'
import { type ServerState } from './state.ts'
import { type WriteContext, writes } from './writes.ts'

/** A request on its way. `body` stands behind the header. */
interface Request {
  readonly state: ServerState
  readonly link: Link
  readonly xid: number
  readonly body: Reader
}

/** Answers one request. May close the link, as a server does for what it does not know. */
export function processRequest(
  state: ServerState,
  link: Link,
  { xid, type }: records.RequestHeader,
  body: Reader,
): void {
  if (link.session !== null) state.sessions.touch(link.session)
  const request: Request = { state, link, xid, body }
  const operation = operationByCode.get(type)
  const answerSpecial = specials.get(type)
  if (isForbidden(request, type)) refuseStranger(request, operation)
  else if (operation === undefined) answerUnimplemented(request, `opcode ${type}`)
  else if (!state.options.profile.knows(operation)) answerUnimplemented(request, operation.name)
  else if (state.isReadOnly && needsQuorum(operation)) answerNotReadOnly(request, operation)
  else if (answerSpecial !== undefined) answerSpecial(request)
  else answer(request, operation)
}

const introductions: ReadonlySet<number> = new Set([operations.auth.code, operations.sasl.code])

/** A server that demands SASL answers nothing else before it: not even pings. */
function isForbidden({ state, link }: Request, type: number): boolean {
  const isRequired = state.options.sasl?.required === true
  return isRequired && !introductions.has(type) && !link.ids.some(({ scheme }) => scheme === 'sasl')
}

function refuseStranger(request: Request, operation: Operation | undefined): void {
  const header = { xid: request.xid, zxid: 0n, err: errnoOfSaslRequired }
  replyEmpty(request.link, header)
  log(request, header, operation?.name ?? 'unknown', null)
  request.link.close()
}

/** Handlers of all operations in one type: each gets what its own codec has decoded. */
type Handler<C> = (request: never, context: C) => unknown

const writeHandlers: ReadonlyMap<string, Handler<WriteContext>> = new Map(Object.entries(writes))
const readHandlers = new Map<string, Handler<Parameters<typeof reads.getData>[1]>>(
  Object.entries(reads),
)

/** What is answered unlike everything else. */
const specials: ReadonlyMap<number, (request: Request) => void> = new Map([
  [operations.ping.code, answerPing],
  [operations.auth.code, answerAuth],
  [operations.sasl.code, answerSasl],
  [operations.closeSession.code, answerCloseSession],
  [operations.multiRead.code, answerMultiRead],
  [operations.check.code, (request) => answerUnimplemented(request, operations.check.name)],
])

function answer(request: Request, operation: Operation): void {
  let err = 0
  let path: string | null = null
  let decoded: unknown
  let response: unknown
  try {
    decoded = decode(request, operation)
    path = pathOf(operation, decoded)
    response = execute(request, operation, decoded)
  } catch (error) {
    err = errnoOf(error)
  }
  const header = { xid: request.xid, zxid: request.state.lastZxid, err }
  request.link.reply(header, err === 0 ? operation.response : Empty, response)
  log(request, header, operation.name, path, partsOf(decoded, response))
}

function decode({ state, body }: Request, operation: Operation): unknown {
  try {
    return operation.request.read(body)
  } catch (error) {
    // Of all requests that cannot be decoded, only a multi spends a zxid.
    if (operation === operations.multi) state.transact(() => undefined)
    throw error
  }
}

function execute({ state, link }: Request, { name }: Operation, decoded: unknown): unknown {
  const { tree, watches, options } = state
  const { profile } = options
  const { ids, sessionId } = link
  const read = readHandlers.get(name)
  if (read !== undefined)
    return read(decoded as never, { tree, watches, watcher: link, ids, profile })
  const write = writeHandlers.get(name) ?? refuse('UNIMPLEMENTED')
  const { hasExtendedTypes, schemes } = options
  return state.transact((stamp) =>
    write(decoded as never, { tree, stamp, sessionId, ids, hasExtendedTypes, schemes, profile }),
  )
}

/** Source: `ReadOnlyRequestProcessor`. */
function needsQuorum({ effect, code }: Operation): boolean {
  return effect === 'write' || code === operations.sync.code || code === operations.check.code
}

function answerNotReadOnly(request: Request, operation: Operation): void {
  const header = { xid: request.xid, zxid: request.state.lastZxid, err: errnoOfNotReadOnly }
  replyEmpty(request.link, header)
  log(request, header, operation.name, null)
}

const errnoOfNotReadOnly = -119

/** Whatever xid a ping has, its reply has the usual one. */
function answerPing({ state, link }: Request): void {
  replyEmpty(link, { xid: Xid.ping, zxid: state.lastZxid, err: 0 })
}

/** Never fails for digest: whoever sends a wrong password has just become somebody else. */
function answerAuth(request: Request): void {
  const { state, link, xid, body } = request
  const { scheme, auth } = records.AuthPacket.read(body)
  const isKnown = authenticate(state, link, scheme, auth)
  const header = { xid, zxid: 0n, err: isKnown ? 0 : errnoOfAuthFailed }
  replyEmpty(link, header)
  log(request, header, operations.auth.name, null)
  if (!isKnown) link.close()
}

const errnoOfAuthFailed = -115
const errnoOfSaslRequired = -124

function authenticate(
  state: ServerState,
  link: Link,
  scheme: string,
  auth: Uint8Array | null,
): boolean {
  if (scheme === 'ip') return true // every link has that identity from the start
  if (scheme !== 'digest' || auth === null) return false
  const id = digestOf(Buffer.from(auth).toString('utf8'))
  if (id === state.options.superDigest) link.addId({ scheme: 'super', id: '' })
  link.addId({ scheme, id })
  return true
}

/** A server without SASL answers that it has nothing to say. */
function answerSasl(request: Request): void {
  const { state, link, xid, body } = request
  const { token } = records.GetSASLRequest.read(body)
  if (token === null) return link.close()
  const answer = evaluateSasl(state, link, Buffer.from(token))
  const isRefused = answer === null && state.options.sasl !== undefined
  const errno = state.options.sasl?.required === true ? errnoOfSaslRequired : errnoOfAuthFailed
  const header = { xid, zxid: 0n, err: isRefused ? errno : 0 }
  link.reply(header, records.SetSASLResponse, { token: answer })
  log(request, header, operations.sasl.name, null)
  if (isRefused) link.close()
}

function evaluateSasl({ options }: ServerState, link: Link, token: Uint8Array): Buffer | null {
  if (options.sasl === undefined) return null
  link.sasl ??= new SaslExchange(options.sasl)
  const answer = link.sasl.evaluate(token)
  if (link.sasl.user !== null) link.addId({ scheme: 'sasl', id: link.sasl.user })
  return answer
}

function answerCloseSession(request: Request): void {
  const { state, link, xid } = request
  if (link.session !== null) state.endSession(link.session)
  const header = { xid, zxid: state.lastZxid, err: 0 }
  replyEmpty(link, header)
  log(request, header, operations.closeSession.name, null)
  link.close()
}

/** A multiRead of writes is refused, and yet has a body: no results. */
function answerMultiRead(request: Request): void {
  const { state, link, xid, body } = request
  let err = 0
  let parts: readonly MultiPart[] = []
  let response: ReturnType<typeof reads.multiRead> | null = null
  try {
    parts = MultiRequest.read(body)
    const readCount = parts.filter(isReadPart).length
    if (readCount === 0 && parts.length > 0) response = []
    if (readCount < parts.length) refuse('MARSHALLING_ERROR')
    const { tree, watches } = state
    const { profile } = state.options
    response = reads.multiRead(parts, { tree, watches, watcher: link, ids: link.ids, profile })
  } catch (error) {
    err = errnoOf(error)
  }
  const header = { xid, zxid: state.lastZxid, err }
  if (response === null) replyEmpty(link, header)
  else link.reply(header, MultiResponse, response)
  log(request, header, operations.multiRead.name, null, partsOf(parts, response))
}

function answerUnimplemented(request: Request, name: string): void {
  const header = { xid: request.xid, zxid: -1n, err: -6 }
  if (request.state.options.profile.answersUnknown) replyEmpty(request.link, header)
  log(request, header, name, null)
  request.link.close()
}

/** Null for operations that name no znode. */
export function pathOf({ path }: Operation, decoded: unknown): string | null {
  return path === null ? null : (decoded as Record<typeof path, string>)[path]
}

function log(
  { state, link }: Request,
  { xid, zxid, err }: records.ReplyHeader,
  operation: string,
  path: string | null,
  parts?: readonly LogPart[],
): void {
  const entry = { sessionId: link.sessionId, xid, zxid, operation, path, err }
  state.log.push(parts === undefined ? entry : { ...entry, parts })
}

/** Undefined of what is no multi, or was refused as a whole. */
function partsOf(decoded: unknown, response: unknown): readonly LogPart[] | undefined {
  if (!Array.isArray(decoded) || !Array.isArray(response)) return undefined
  return decoded.map((part: MultiPart, index) => {
    const { err } = (response[index] ?? { err: 0 }) as MultiResult
    const operation = operationByCode.get(part.type)?.name ?? `opcode ${part.type}`
    return { operation, path: pathOfPart(part), err }
  })
}

/** Whatever can stand in a multi names a znode. */
export function pathOfPart({ request }: MultiPart): string {
  return (request as { readonly path: string }).path
}
