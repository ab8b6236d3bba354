import { type ACL, type CallOptions, type ZooKeeper, ZooKeeperError } from '../client/index.ts'
import { validatePath } from '../client/path-check.ts'
import { PersistentNode } from './persistent-node.ts'
import { decodeInstance, encodeInstance, type ServiceInstance } from './service-instance.ts'
import { type PickStrategy, ServiceProvider } from './service-provider.ts'

/** What to tell others about an instance. */
export interface RegisterOptions {
  readonly name: string
  readonly address: string
  readonly port: number
  /** Default: a new uuid. */
  readonly id?: string
  readonly payload?: unknown
}

/** An instance that is registered, and stays so until this is closed. */
export interface Registration extends AsyncDisposable {
  readonly instance: ServiceInstance
  /** The znode. */
  readonly path: string
  /** Takes the instance out of the registry. Never rejects. */
  close(): Promise<void>
}

/**
 * Services register where they are; others find them. Instances are ephemeral znodes, so a process that
 * dies is out of the registry when its session ends. The znodes are those of Curator's service
 * discovery.
 *
 * @example
 * const registry = new ServiceRegistry(zk, '/services')
 * await registry.register({ name: 'users', address: '10.0.0.7', port: 8897 })
 * const users = await registry.discover('users', { strategy: 'round-robin' })
 * const { address, port } = users.pick() ?? fail()
 */
export class ServiceRegistry {
  readonly #zk: ZooKeeper
  readonly #path: string
  readonly #acl: readonly ACL[] | undefined

  constructor(zk: ZooKeeper, path: string, { acl }: { readonly acl?: readonly ACL[] } = {}) {
    validatePath(path)
    this.#zk = zk
    this.#path = path
    this.#acl = acl
  }

  /**
   * Registers an instance, and registers it again after an expiry or if somebody deletes it.
   *
   * @throws {ZooKeeperError} `BAD_ARGUMENTS` if name or id cannot name a znode; `NODE_EXISTS` if a live
   * process has registered the same id: after waiting, by default 4/3 of the session timeout, for one
   * that has just died to vanish.
   */
  async register(
    { name, address, port, id = this.#zk.runtime.uuid(), payload = null }: RegisterOptions,
    options?: CallOptions,
  ): Promise<Registration> {
    const registeredAtMs = this.#zk.runtime.wallMs()
    const instance = { name, id, address, port, payload, registeredAtMs }
    const path = childOf(this.#serviceAt(name), id)
    const node = await PersistentNode.open(
      this.#zk,
      { path, data: encodeInstance(instance), acl: this.#acl },
      options,
    )
    const close = () => node.close()
    return { instance, path, close, [Symbol.asyncDispose]: close }
  }

  /**
   * Finds the instances of a service, and follows them until the provider is closed. Needs servers of 3.6
   * or later; else it rejects with `UNIMPLEMENTED`; with `BAD_ARGUMENTS` if the name cannot name a znode.
   */
  async discover(
    name: string,
    { strategy = 'random', signal }: DiscoverOptions = {},
  ): Promise<ServiceProvider> {
    const service = { path: this.#serviceAt(name), acl: this.#acl, decode: decodeInstance }
    return ServiceProvider.open(this.#zk, service, strategy, signal)
  }

  #serviceAt(name: string): string {
    return childOf(this.#path, name)
  }
}

/** What somebody has named must not lead anywhere else in the tree. */
function childOf(parent: string, name: string): string {
  if (name.includes('/')) {
    throw new ZooKeeperError('BAD_ARGUMENTS', { detail: `"${name}" is no name: it contains "/"` })
  }
  const path = `${parent}/${name}`
  validatePath(path)
  return path
}

/** How to choose among instances. */
export interface DiscoverOptions {
  /** How `pick` chooses. Default: `'random'`. */
  readonly strategy?: PickStrategy
  /** Ends the wait for the first list. */
  readonly signal?: AbortSignal | undefined
}
