/// <reference types="node" preserve="true" />
/**
 * Recipes: what people use ZooKeeper for, over the public client.
 *
 * @module
 */
export { Config, type ConfigOptions, type Versioned } from './config.ts'
export { Election, type ElectionOptions, type Leader } from './election.ts'
export { type Lease } from './lease.ts'
export { Lock, type LockOptions } from './lock.ts'
export { type ServiceInstance } from './service-instance.ts'
export { type PickStrategy, type ServiceProvider } from './service-provider.ts'
export {
  type DiscoverOptions,
  type RegisterOptions,
  type Registration,
  ServiceRegistry,
} from './service-registry.ts'
