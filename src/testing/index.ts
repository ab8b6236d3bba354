/// <reference types="node" preserve="true" />
/**
 * A ZooKeeper server for tests, in the same process.
 *
 * @module
 */
export { type UntilOptions } from './changes.ts'
export { type Clock, type Timer } from './clock.ts'
export { type PartitionOptions, TestEnsemble, type TestEnsembleOptions } from './ensemble.ts'
export {
  type FaultDirection,
  type FaultMatch,
  type FaultPlan,
  type LinkFault,
  type RefuseFault,
  type RequestFault,
} from './fault-plan.ts'
export { type Fault, type Faults } from './faults.ts'
export { TestMember } from './member.ts'
export { type Backup } from './member-state.ts'
export { type LogEntry, type LogPart } from './operation-log.ts'
export { type Oracle, type SessionView, type WatchesView, type WatchView } from './oracle.ts'
export { type TreeOption, type ZnodeOptions } from './preload.ts'
export { type ProfileName } from './profile.ts'
export { type SaslOptions } from './sasl.ts'
export { TestServer, type TestServerOptions } from './server.ts'
