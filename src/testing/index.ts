/// <reference types="node" preserve="true" />
/**
 * A ZooKeeper server for tests, in the same process.
 *
 * @module
 */
export { type Clock, type Timer } from './clock.ts'
export { type Fault, type RequestView } from './keeper.ts'
export { type LogEntry } from './operation-log.ts'
export {
  type SessionView,
  TestServer,
  type TestServerOptions,
  type WatchesView,
  type WatchView,
} from './server.ts'
