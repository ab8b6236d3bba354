/// <reference types="node" preserve="true" />
/**
 * The ZooKeeper protocol as bytes and meaning, without I/O: for tools that read or speak the wire.
 *
 * @module
 */
export { type Borrowed, type Codec, Empty, Reader, Writer } from './bytes.ts'
export * from './constants.ts'
export { type ConnectString, formatHost, type Host, parseConnectString } from './connect-string.ts'
export {
  type EnsembleConfig,
  type EnsembleMember,
  type MemberAddress,
  parseEnsembleConfig,
} from './ensemble-config.ts'
export * as digestMd5 from './digest-md5.ts'
export { type ErrorCode, errorCodeOf, errorCodes } from './error-codes.ts'
export {
  type ErrorContext,
  isZooKeeperError,
  type Outcome,
  ProtocolError,
  ZooKeeperError,
} from './errors.ts'
export {
  type ConnectionReport,
  type FourLetterWord,
  parseWord,
  type ServerReport,
  type SessionReport,
  type WatchesReport,
  type WordResult,
} from './four-letter-words.ts'
export { FrameSplitter } from './framing.ts'
export * as handshake from './handshake.ts'
export { type MultiPart, MultiRequest, MultiResponse, type MultiResult } from './multi.ts'
export {
  type Effect,
  type Operation,
  operationByCode,
  type OperationName,
  operations,
  type WatchKind,
} from './operations.ts'
export {
  parentPath,
  prependChroot,
  stripChroot,
  validatePath,
  validateSequentialPath,
} from './path.ts'
export * as records from './records.ts'
