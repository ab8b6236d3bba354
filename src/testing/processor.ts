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
import { copyOf, type Link, replyEmpty } from './link.ts'
import { type LogEntry, type LogPart } from './operation-log.ts'
import { isReadPart, reads } from './reads.ts'
import { errnoOf, refuse } from './refusal.ts'
import { pathOf, pathOfPart, type RequestView } from './request-view.ts'
import { SaslExchange } from './sasl.ts'
import { endSession, type ServerState } from './state.ts'
import { type Stamp } from './tree.ts'
import { attempt, type Ledger, type Outcome } from './write.ts'
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
  if (link.session !== null) state.touch(link.session, link)
  const request: Request = { state, link, xid, body }
  const operation = operationByCode.get(type)
  if (isForbidden(request, type)) refuseStranger(request, operation)
  else if (operation === undefined) answerUnimplemented(request, `opcode ${type}`)
  else if (!state.options.profile.knows(operation)) answerUnimplemented(request, operation.name)
  else if (operation === operations.multi && !knowsParts(request)) link.close()
  else if (state.isReadOnly && needsQuorum(operation)) answerNotReadOnly(request, operation)
  else answererOf(operation)(request, operation)
}

/** Answers an error instead, when its turn has come. */
export function refuseRequest(
  state: ServerState,
  link: Link,
  xid: number,
  { operation, path }: RequestView,
  err: number,
): void {
  if (link.session !== null) state.touch(link.session, link)
  const answer = () => {
    if (link.isClosed) return
    const header = { xid, zxid: state.lastZxid, err }
    replyEmpty(link, header)
    const entry = { sessionId: link.sessionId, ...header, operation, path }
    if (operation !== operations.ping.name) state.log.push(entry)
  }
  if (state.answers.has(link)) state.answers.add(link, 0n, answer)
  else answer()
}

/** A server without create2 cannot even read a multi that contains one: ClickHouse's goes away. */
function knowsParts({ state, body }: Request): boolean {
  const { profile } = state.options
  if (profile.knows(operations.create2)) return true
  const { err, result } = attempt(() => MultiRequest.read(copyOf(body)))
  return err !== 0 || result!.every(({ type }) => profile.knows(operationByCode.get(type)!))
}

type Answerer = (request: Request, operation: Operation) => void

function answererOf(operation: Operation): Answerer {
  const { name, code } = operation
  return specials.get(code) ?? (readHandlers.has(name) ? inTurn(answerRead) : answerWrite)
}

/** Whatever is asked behind a write that is still on its way has to wait for it. */
function inTurn(answer: Answerer): Answerer {
  return (request, operation) => {
    const { answers } = request.state
    if (!answers.has(request.link)) return answer(request, operation)
    const kept = { ...request, body: copyOf(request.body) }
    answers.add(request.link, 0n, () => {
      if (!request.link.isClosed) answer(kept, operation)
    })
  }
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
const specials: ReadonlyMap<number, Answerer> = new Map([
  [operations.ping.code, inTurn(answerPing)],
  [operations.auth.code, answerAuth],
  [operations.sasl.code, answerSasl],
  [operations.sync.code, answerSync],
  [operations.closeSession.code, answerCloseSession],
  [operations.multiRead.code, inTurn(answerMultiRead)],
  [operations.check.code, (request, { name }) => answerUnimplemented(request, name)],
])

function answerRead(request: Request, operation: Operation): void {
  const { state, link, body } = request
  const { tree, watches, options } = state
  const { profile } = options
  const read = readHandlers.get(operation.name)!
  let decoded: unknown
  const outcome = attempt(() => {
    decoded = operation.request.read(body)
    return read(decoded as never, { tree, watches, watcher: link, ids: link.ids, profile })
  })
  conclude(request, operation, decoded, outcome)
}

/** Answered when this server knows all that was decided before. The path is not even looked at. */
function answerSync(request: Request, operation: Operation): void {
  const outcome = attempt(() => records.SyncRequest.read(request.body))
  request.state.catchUp(request.link, () => conclude(request, operation, outcome.result, outcome))
}

function answerWrite(request: Request, operation: Operation): void {
  const { state, link, body } = request
  // Of all requests that cannot be decoded, only a multi spends a zxid.
  const isMulti = operation === operations.multi
  let decoded: unknown
  const decode = () => (decoded = operation.request.read(body))
  const undecoded = isMulti ? null : attempt(decode)
  if (undecoded !== null && undecoded.err !== 0) {
    return inTurn(() => conclude(request, operation, undefined, undecoded))(request, operation)
  }
  state.decide({
    link,
    change: (ledger, stamp) => {
      if (isMulti) decode()
      return write(request, operation, decoded, ledger, stamp)
    },
    answer: (outcome) => reply(request, operation, outcome),
    entry: (outcome, zxid) => entryOf(request, operation, decoded, outcome, zxid),
  })
}

function write(
  { state, link }: Request,
  { name }: Operation,
  decoded: unknown,
  { tree }: Ledger,
  stamp: Stamp,
): unknown {
  const { ids, sessionId } = link
  const handler = writeHandlers.get(name) ?? refuse('UNIMPLEMENTED')
  return handler(decoded as never, { tree, stamp, sessionId, ids, options: state.options })
}

function conclude(
  request: Request,
  operation: Operation,
  decoded: unknown,
  outcome: Outcome<unknown>,
): void {
  reply(request, operation, outcome)
  const { log, lastZxid } = request.state
  log.push(entryOf(request, operation, decoded, outcome, lastZxid))
}

/** The connection of a session that has moved to another server just ends. */
function reply(
  { state, link, xid }: Request,
  { response }: Operation,
  { err, result }: Outcome<unknown>,
): void {
  if (err === errnoOfMoved) return link.close()
  link.reply({ xid, zxid: state.lastZxid, err }, err === 0 ? response : Empty, result)
}

const errnoOfMoved = -118

function entryOf(
  { link, xid }: Request,
  operation: Operation,
  decoded: unknown,
  { err, result }: Outcome<unknown>,
  zxid: bigint,
): LogEntry {
  const path = decoded === undefined ? null : pathOf(operation, decoded)
  const parts = partsOf(decoded, result)
  const entry = { sessionId: link.sessionId, xid, zxid, operation: operation.name, path, err }
  return parts === undefined ? entry : { ...entry, parts }
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

function answerCloseSession(request: Request, { name }: Operation): void {
  const { state, link, xid } = request
  const answer = () => {
    replyEmpty(link, { xid, zxid: state.lastZxid, err: 0 })
    link.close()
  }
  const { sessionId } = link
  const entry = (zxid: bigint) => ({ sessionId, xid, zxid, operation: name, path: null, err: 0 })
  if (state.localSessions.delete(sessionId)) {
    state.sessions.remove(sessionId)
    answer()
    return state.log.push(entry(state.lastZxid))
  }
  state.decide({
    link,
    isAnybodys: true,
    change: (ledger, stamp) => endSession(ledger, sessionId, stamp),
    answer,
    entry: (_, zxid) => entry(zxid),
  })
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
