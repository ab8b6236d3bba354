/** What a server was asked and what it answered, oldest first. */
export interface LogEntry {
  readonly sessionId: bigint
  /** 0 for what no client asked for, such as an expiry. */
  readonly xid: number
  /** The zxid in the reply. */
  readonly zxid: bigint
  /** As ZooKeeper names it, and `createSession` and `deleteContainer`. */
  readonly operation: string
  /** Null for operations that name no znode. */
  readonly path: string | null
  /** 0, or the error code in the reply's header. */
  readonly err: number
  /**
   * What a multi or multiRead consisted of, and the error code of each part: in a multi that failed, 0
   * for those that were rolled back, the code for the one that failed, -2 for those not looked at.
   */
  readonly parts?: readonly LogPart[]
}

/** One operation of a multi or multiRead. */
export interface LogPart {
  readonly operation: string
  readonly path: string
  readonly err: number
}

/** Remembers the newest entries. Forgetting goes in large steps, so that it costs nothing. */
export class OperationLog {
  readonly #entriesMax: number
  readonly #onPushed: (entry: LogEntry) => void
  #entries: LogEntry[] = []

  constructor(entriesMax: number, onPushed: (entry: LogEntry) => void) {
    this.#entriesMax = entriesMax
    this.#onPushed = onPushed
  }

  get entries(): readonly LogEntry[] {
    return this.#entries.slice(-this.#entriesMax)
  }

  push(entry: LogEntry): void {
    if (this.#entries.length >= 2 * this.#entriesMax) this.#entries = [...this.entries]
    this.#entries.push(entry)
    this.#onPushed(entry)
  }

  clear(): void {
    this.#entries = []
  }
}
