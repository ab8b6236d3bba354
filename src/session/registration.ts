/** How a new connection is told of the watches, whatever its server can be told. */
import { EventType, KeeperState } from '../protocol/constants.ts'
import { errorCodes } from '../protocol/error-codes.ts'
import { type Operation, operations } from '../protocol/operations.ts'
import { type SetWatches2, type Stat } from '../protocol/records.ts'
import { Call, type Failure } from './call.ts'
import { type ServerWatches } from './server-watches.ts'

/** What telling needs of the session. */
export interface Registrar {
  readonly watches: ServerWatches
  /** Sends calls before anything else. */
  readonly submit: (calls: readonly Call[]) => void
  /** Watches that a server does not set would be silent for ever: another server may do better. */
  readonly unwatched: (failure: Failure) => void
}

/** What a new connection is to be told before it gets other requests. */
export function registrationsOf(frameBytesMax: number, registrar: Registrar): Call[] {
  const chunks = registrar.watches.attach(frameBytesMax)
  return chunks.map((chunk) => new RegistrationCall(chunk, registrar))
}

/** Arms a chunk of watches. A cut makes it moot: the next connection is told anew. */
class RegistrationCall extends Call {
  readonly #chunk: SetWatches2
  readonly #registrar: Registrar

  constructor(chunk: SetWatches2, registrar: Registrar) {
    // Servers before 3.6 know only the first three lists.
    super(isOneShot(chunk) ? operations.setWatches : operations.setWatches2, chunk, '', null)
    this.#chunk = chunk
    this.#registrar = registrar
  }

  override succeed(): void {
    this.#registrar.watches.armed(this.#chunk)
  }

  override fail(failure: Failure): void {
    if (failure.code === 'UNIMPLEMENTED') this.#degrade()
    else this.#registrar.unwatched(failure)
  }

  /** Persistent watches end, and one-shot watches are set one by one. */
  #degrade(): void {
    const chunk = this.#chunk
    const registrar = this.#registrar
    registrar.watches.endPersistent(chunk)
    registrar.submit(
      isOneShot(chunk)
        ? rereadings(chunk, registrar)
        : [new RegistrationCall(oneShotsOf(chunk), registrar)],
    )
  }
}

/** Never sent twice: the next connection is told anew. */
const existsAnew: Operation = { ...operations.exists, effect: 'connection' }
const getChildrenAnew: Operation = { ...operations.getChildren2, effect: 'connection' }

/** What a read that sets a watch again has to tell. */
interface Finding {
  /** The event if the znode is newer, or must not be read. */
  readonly changed: number
  readonly isNewer: (stat: Stat) => boolean
  /** The event if there is no znode; null if none was expected. */
  readonly missing: number | null
}

/** Sets one watch by reading again, and tells what has changed meanwhile, as setWatches does. */
class RereadingCall extends Call {
  readonly #registrar: Registrar
  readonly #finding: Finding

  constructor(operation: Operation, path: string, registrar: Registrar, finding: Finding) {
    super(operation, { path, watch: true }, path, null)
    this.#registrar = registrar
    this.#finding = finding
  }

  override succeed(response: unknown): void {
    const { stat } = response as { readonly stat: Stat }
    if (this.#finding.isNewer(stat)) this.#tell(this.#finding.changed)
  }

  override fail(failure: Failure): void {
    if (failure.errno === errorCodes.NO_NODE.errno) this.#tell(this.#finding.missing)
    else if (failure.code === 'NO_AUTH') this.#tell(this.#finding.changed)
    else this.#registrar.unwatched(failure)
  }

  #tell(type: number | null): void {
    if (type === null) return
    const event = { type, state: KeeperState.SyncConnected, path: this.path }
    this.#registrar.watches.notify(event, null)
  }
}

function rereadings(chunk: SetWatches2, registrar: Registrar): Call[] {
  const { NodeChildrenChanged, NodeCreated, NodeDataChanged, NodeDeleted } = EventType
  const { relativeZxid, dataWatches, existWatches, childWatches } = chunk
  const read = (operation: Operation, paths: readonly string[], finding: Finding) =>
    paths.map((path) => new RereadingCall(operation, path, registrar, finding))
  return [
    ...read(existsAnew, dataWatches, {
      changed: NodeDataChanged,
      isNewer: ({ mzxid }) => mzxid > relativeZxid,
      missing: NodeDeleted,
    }),
    ...read(existsAnew, existWatches, {
      changed: NodeCreated,
      isNewer: () => true,
      missing: null,
    }),
    ...read(getChildrenAnew, childWatches, {
      changed: NodeChildrenChanged,
      isNewer: ({ pzxid }) => pzxid > relativeZxid,
      missing: NodeDeleted,
    }),
  ]
}

function isOneShot({ persistentWatches, persistentRecursiveWatches }: SetWatches2): boolean {
  return persistentWatches.length === 0 && persistentRecursiveWatches.length === 0
}

function oneShotsOf(chunk: SetWatches2): SetWatches2 {
  return { ...chunk, persistentWatches: [], persistentRecursiveWatches: [] }
}
