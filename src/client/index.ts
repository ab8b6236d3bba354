/**
 * The public names of the client, one by one. Recipes are written against these alone, as users' own
 * code is.
 */
export {
  ANYONE_ID_UNSAFE,
  AUTH_IDS,
  CREATOR_ALL_ACL,
  digestId,
  OPEN_ACL_UNSAFE,
  READ_ACL_UNSAFE,
} from './acl.ts'
export {
  type ReadOptions,
  type RecipeRuntime,
  type SessionInfo,
  type VersionOption,
  ZooKeeper,
} from './client.ts'
export {
  type ChannelMessages,
  channels,
  type RequestTrace,
  type RetryNotice,
  type WatchNotice,
} from './channels.ts'
export { type CreateCallOptions } from './create.ts'
export { type ConfigResult, type ReconfigOptions } from './ensemble.ts'
export { type Dial, type DialRequest } from './dial-option.ts'
export { type DeleteOptions } from './delete.ts'
export { type EventStream } from './event-stream.ts'
export { type FourLetterWords, type WordOptions } from './four-letter-words.ts'
export { type SyncOption } from './sync-option.ts'
export { type ExportedSession, type RevealedSession } from './exported-session.ts'
export { TransactionError } from './transaction-error.ts'
export { type IdempotentOption } from './idempotent.ts'
export { type MultiRead, type ReadResult } from './multi-read.ts'
export { type CallOptions, type ConnectOptions, type Logger } from './options.ts'
export { type ProtectOption } from './protected.ts'
export { type CreateOptions, type Data } from './requests.ts'
export {
  type AclResult,
  type ChildrenResult,
  type CreateResult,
  type DataResult,
} from './results.ts'
export { type RetryOptions } from './retry-policy.ts'
export { type ClientStats } from './stats.ts'
export { type State, type StateChange } from './states.ts'
export { type Auth, type AuthData, type AuthOption } from './auth-option.ts'
export { type DigestMd5Options } from './digest-md5.ts'
export { type SaslOption, type SaslSettings } from './sasl-option.ts'
export { type SaslExchange, type SaslMechanism } from '../session/sasl.ts'
export { type TlsOption } from './tls-option.ts'
export { type Transaction, type TransactionCreateResult } from './transaction.ts'
export { type WalkEntry, type WalkOptions } from './walk.ts'
export { type WatchOption } from './view.ts'
export { type Watch } from './watch.ts'
export {
  type CheckWatchesOptions,
  type RemoveWatchesOptions,
  type WatcherKind,
  type WatchOptions,
} from './watching.ts'
export { type CreateMode, Perms } from '../protocol/constants.ts'
export {
  type EnsembleConfig,
  type EnsembleMember,
  type MemberAddress,
} from '../protocol/ensemble-config.ts'
export { type ErrorCode } from '../protocol/error-codes.ts'
export {
  isZooKeeperError,
  type Outcome,
  ProtocolError,
  ZooKeeperError,
} from '../protocol/errors.ts'
export {
  type ConnectionReport,
  type FourLetterWord,
  type ServerReport,
  type SessionReport,
  type WatchesReport,
  type WordResult,
} from '../protocol/four-letter-words.ts'
export { type ACL, type ClientInfo, type Id, type Stat } from '../protocol/records.ts'
export { type CallTrace } from '../session/call.ts'
export { type LinkStep, type Stall } from '../session/monitor.ts'
export { type LinkState, type LinkTrigger, type Trigger } from '../session/state.ts'
export { type Backoff } from '../session/timing.ts'
export { type WatchEvent, type WatchEventType } from '../session/watches.ts'
