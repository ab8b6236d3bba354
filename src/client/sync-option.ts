/** For reads that must not be stale. */
export interface SyncOption {
  /**
   * Sends a `sync` ahead of the read, in the same turn: the answer has in it everything that was
   * committed when the leader got the sync. Without, a server that lags behind may answer with what
   * was true a while ago; never, though, with less than this client has seen before. Default false.
   */
  readonly sync?: boolean | undefined
}
