/// <reference types="node" preserve="true" />
/**
 * zoowire: a ZooKeeper client for Node.js.
 *
 * @module
 */
import { ZooKeeper } from './client/client.ts'
import { type FourLetterWords, wordsOver } from './client/four-letter-words.ts'
import { type ConnectOptions } from './client/options.ts'
import { held, nodeRuntime } from './node/runtime.ts'
import { checkTls } from './node/dial-tls.ts'

/**
 * Connects to a ZooKeeper ensemble and resolves with a client that has a session. Each call makes a
 * client of its own, with a session and an end of its own; share the client, not the connect string.
 *
 * @param connectString `host[:port][,host[:port]…][/chroot]`, with the default port 2181; IPv6
 * addresses in brackets; optionally after `zk://`, or `zks://` for TLS. The chroot need not exist; calls
 * that cannot do without it reject with `NO_NODE` and say so.
 * @throws {ZooKeeperError} `BAD_CONNECT_STRING` or `BAD_ARGUMENTS` for bad arguments; `TIMEOUT` if there
 * is no session within `connectTimeout`, with the failure of the host as `cause` (of several hosts, an
 * `AggregateError`); `ABORTED` by the signal;
 * `AUTH_FAILED` if the servers reject an identity. Nothing is left running then.
 *
 * @example
 * const zk = await connect('zk1:2181,zk2:2181,zk3:2181/app')
 * try {
 *   console.log(await zk.getChildren('/'))
 * } finally {
 *   await zk.close()
 * }
 */
export async function connect(
  connectString: string,
  options: ConnectOptions = {},
): Promise<ZooKeeper> {
  if (typeof options.tls === 'object') checkTls(options.tls)
  return held(ZooKeeper.connect(nodeRuntime(options), connectString, options))
}

export const fourLetterWords: FourLetterWords = wordsOver((options) => {
  if (typeof options.tls === 'object') checkTls(options.tls)
  return nodeRuntime(options)
})

export * from './client/index.ts'
