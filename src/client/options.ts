import { type ConnectString, type Host, parseConnectString } from '../protocol/connect-string.ts'
import { juteMaxBuffer } from '../protocol/constants.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type ACL } from '../protocol/records.ts'
import { type Handover, type SessionOptions } from '../session/session-parts.ts'
import { type TlsProvider } from '../session/target.ts'
import { type Backoff } from '../session/timing.ts'
import { OPEN_ACL_UNSAFE } from './acl.ts'
import { finite, positive } from './numbers.ts'
import { type RetryOptions, type RetryPolicy, retryPolicyOf } from './retry-policy.ts'
import { type ExportedSession, handoverOf, type RevealedSession } from './exported-session.ts'
import { type Auth } from './auth-option.ts'
import { checkDial, type Dial } from './dial-option.ts'
import { checkSasl, type SaslOption } from './sasl-option.ts'
import { type TlsOption, tlsProviderOf } from './tls-option.ts'

/** What every call and every wait takes. */
export interface CallOptions {
  /**
   * Ends the call early, with `ABORTED` and the signal's reason as `cause`. If its request was not
   * written yet, it never is (`outcome: 'not-applied'`); else its reply is ignored and the outcome is
   * `'unknown'`.
   */
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds after which the call fails with `TIMEOUT`, under the same rules as an abort, however
   * many requests it makes. The default is the client's `requestTimeout`; `Infinity` waits for ever.
   * Calls for which that would not do (`deleteRecursive`, `walk`) say so.
   */
  readonly timeout?: number | undefined
  /**
   * Makes the call again when it fails in a way that passes, if it only reads or certainly did not
   * happen. `timeout` and `signal` are for all attempts and pauses together. Calls made later may
   * overtake it. Waits ignore it. Default: the client's `retry`; false for none.
   */
  readonly retry?: RetryOptions | false | undefined
}

/** Where the client reports what it cannot tell a caller. `console` fits. */
export interface Logger {
  debug(message: string, ...details: unknown[]): void
  info(message: string, ...details: unknown[]): void
  warn(message: string, ...details: unknown[]): void
  error(message: string, ...details: unknown[]): void
}

/** How a client behaves. All durations are in milliseconds. */
export interface ConnectOptions {
  /**
   * Milliseconds without contact after which the servers end the session; servers clamp it to their
   * limits. Default 18,000: shorter ones expire in virtualised networks without need (Kafka went from
   * 6 s to 18 s).
   */
  readonly sessionTimeout?: number
  /** Milliseconds a call may take unless it says otherwise. Default 30,000. */
  readonly requestTimeout?: number
  /**
   * Milliseconds `connect` waits for the first session. Default: the session timeout; `Infinity`
   * tries for ever.
   */
  readonly connectTimeout?: number
  /** Ends `connect` early. It has no effect once connected. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds `close` waits for the server's answer. Default 2,000. */
  readonly closeGrace?: number
  /** What to do when the servers have expired the session. Default `'renew'`: open another one. */
  readonly onExpired?: 'renew' | 'close'
  /**
   * Accept a server that has lost its quorum, for reads: state `read-only`, and writes reject with
   * `NOT_READ_ONLY`. Meanwhile the client looks for a server that can write, and moves there. Default
   * false: without a quorum there is no connection.
   */
  readonly readOnly?: boolean
  /**
   * Go on with a session that another client has handed over (`exportSession`), with its ephemerals.
   * `connect` rejects with `SESSION_EXPIRED` if the servers do not have it any more. One client at a
   * time: of two that use the same session, one gives it up after a while, as if it had expired
   * (reason `taken-over`).
   */
  readonly session?: ExportedSession | RevealedSession | undefined
  /**
   * Follow `/zookeeper/config`: whenever the ensemble is reconfigured, its servers replace those of the
   * connect string, as with `updateServers`. For ensembles whose configuration names the client address
   * of each server, as clients see it; a wildcard such as `0.0.0.0` is replaced by the address at which
   * the other servers reach it, and what is missing is told to the `logger`. Name the servers in the
   * connect string as the configuration does: else the client moves once when it has read it. Default
   * false.
   */
  readonly followConfig?: boolean
  /** The ACL of created znodes unless the call says otherwise. Default: open to everyone. */
  readonly acl?: readonly ACL[]
  /** Identities to take on at every connection, before anything else is sent. */
  readonly auth?: readonly Auth[]
  /**
   * Prove who one is by SASL, on every connection before anything else: `{ mechanism: 'DIGEST-MD5',
   * username, password }`, or a {@link SaslMechanism} such as one for GSSAPI. A function is asked for
   * either at each attempt; if it throws, that attempt has failed.
   *
   * If the server rejects it, takes no part in SASL, or does not prove in its turn that it knows the
   * password, the client ends: state `auth-failed`, code `AUTH_FAILED`.
   */
  readonly sasl?: SaslOption | undefined
  /**
   * Speak TLS. `true`, or `zks://` in the connect string, trusts the system's authorities; the options
   * are those of Node's `tls.connect` (`ca`, `cert` and `key`, `pfx`, `servername`, `minVersion` …). A
   * function is asked for them at each attempt, so that a renewed certificate is used without a new
   * client; if it throws, that attempt has failed.
   *
   * The certificate must be for the host as the connect string names it, whatever address that has. A
   * failed handshake is a failed attempt: `TLS_FAILED`, with Node's error as `cause`.
   */
  readonly tls?: TlsOption | undefined
  /** Allow `digest`, which sends the password as it is, without TLS to hosts other than loopback. */
  readonly allowInsecureAuth?: boolean
  /** When calls that fail are made again, unless they say otherwise. Default: never. */
  readonly retry?: RetryOptions
  /** Requests without a reply before further calls wait. Default 8,192. */
  readonly inFlightMax?: number
  /** Bytes of waiting calls before further ones fail with `QUEUE_FULL`. Default 64 MiB. */
  readonly queuedBytesMax?: number
  /** Bytes of a reply before it fails with `REPLY_TOO_LARGE`. Default 4 MiB. */
  readonly frameInBytesMax?: number
  /**
   * Bytes of a request before it fails with `REQUEST_TOO_LARGE`. Default 1,048,575, the servers'
   * `jute.maxbuffer`; longer ones would cost the connection.
   */
  readonly frameOutBytesMax?: number
  /** Events a watch iterator keeps for a slow consumer before it tells `overflow`. Default 10,000. */
  readonly watchBufferMax?: number
  /** Pauses between failed dials. Default: full jitter below 100 ms, doubling up to 10 s,
   * but never more than a third of the session timeout. */
  readonly backoff?: Partial<Backoff>
  /**
   * Does not hold the process, once it is connected: when there is nothing else to do, the process ends,
   * even in the midst of a call, and the session by its timeout. For libraries that use ZooKeeper beside
   * whatever a program does. A stream of `dial` holds it as it pleases. Default false.
   */
  readonly unref?: boolean
  /** Looks up a host name, at each dial. Default: the system's resolver. */
  readonly lookup?: (name: string) => Promise<readonly string[]>
  /**
   * Looks up the SRV records of the service that `dns-srv://` names. Default: `resolveSrv` of Node's
   * `dns`. Priorities and weights are ignored, as by Java's client: all servers get their share.
   */
  readonly lookupSrv?: (
    service: string,
  ) => Promise<readonly { readonly name: string; readonly port: number }[]>
  /**
   * Milliseconds between two looks at those records; they are looked at when a connection is lost, too.
   * Default 60,000, as in Java's client; `Infinity` for when a connection is lost only.
   */
  readonly srvRefreshInterval?: number
  /**
   * Opens the stream of each connection, in place of TCP: through a SOCKS proxy or an SSH tunnel, over
   * a Unix socket, or to a `TestServer` in this process. The stream must carry bytes both ways, and be
   * open or opening; the client destroys it when it is done. What the function throws, and a stream
   * that fails, cost that attempt.
   *
   * Names are handed to it as they are, unless `lookup` is given, too. With `tls` the client speaks TLS
   * inside the stream, and verifies the host as the connect string names it.
   *
   * @example
   * const zk = await connect('zk1:2181', {
   *   dial: async ({ host, port }) => {
   *     const destination = { host, port }
   *     const { socket } = await SocksClient.createConnection({ proxy, command: 'connect', destination })
   *     return socket
   *   },
   * })
   */
  readonly dial?: Dial | undefined
  /**
   * Told of connections (`debug`), states, stalls and dropped watches (`info`, `warn`), of lost sessions
   * and of watch callbacks that throw (`error`); never of data or secrets. Default: nobody.
   */
  readonly logger?: Logger
}

export interface ClientOptions {
  readonly target: ConnectString
  readonly session: SessionOptions
  readonly connectTimeoutMs: number
  readonly onExpired: 'renew' | 'close'
  readonly followConfig: boolean
  readonly srvRefreshIntervalMs: number
  /** The session to begin with; null for a new one. */
  readonly handover: Handover | null
  readonly acl: readonly ACL[]
  readonly auth: readonly Auth[]
  /** Null for connections in clear. */
  readonly tls: TlsProvider | null
  readonly sasl: SaslOption | undefined
  /** Whether passwords may be sent as they are. */
  readonly sendsPasswords: boolean
  readonly retry: RetryPolicy | null
  readonly watchBufferMax: number
  readonly logger: Logger | null
}

/** Checks and completes what the user gave. Throws `BAD_CONNECT_STRING` or `BAD_ARGUMENTS`. */
export function resolveOptions(connectString: string, given: ConnectOptions): ClientOptions {
  const target = parseConnectString(connectString)
  const tls = tlsProviderOf(given.tls, target.tls)
  checkDial(given.dial)
  if (given.sasl !== undefined && typeof given.sasl !== 'function') checkSasl(given.sasl)
  const sendsPasswords = tls !== null || given.allowInsecureAuth === true
  for (const { scheme } of given.auth ?? []) checkAuth(scheme, knownHosts(target), sendsPasswords)
  const sessionTimeoutMs = positive('sessionTimeout', given.sessionTimeout ?? 18_000)
  return {
    target,
    session: {
      sessionTimeoutMs: finite('sessionTimeout', sessionTimeoutMs),
      requestTimeoutMs: positive('requestTimeout', given.requestTimeout ?? 30_000),
      closeGraceMs: finite('closeGrace', positive('closeGrace', given.closeGrace ?? 2_000)),
      readOnly: given.readOnly ?? false,
      backoff: {
        msMin: positive('backoff.msMin', given.backoff?.msMin ?? 100),
        msMax: positive('backoff.msMax', given.backoff?.msMax ?? 10_000),
      },
      inFlightMax: positive('inFlightMax', given.inFlightMax ?? 8_192),
      queuedBytesMax: positive('queuedBytesMax', given.queuedBytesMax ?? 64 * 1024 * 1024),
      frameInBytesMax: positive('frameInBytesMax', given.frameInBytesMax ?? 4 * 1024 * 1024),
      frameOutBytesMax: positive('frameOutBytesMax', given.frameOutBytesMax ?? juteMaxBuffer),
    },
    connectTimeoutMs: positive('connectTimeout', given.connectTimeout ?? sessionTimeoutMs),
    onExpired: given.onExpired ?? 'renew',
    followConfig: followsConfig(given, target),
    srvRefreshIntervalMs: positive('srvRefreshInterval', given.srvRefreshInterval ?? 60_000),
    handover: given.session === undefined ? null : handoverOf(given.session),
    acl: given.acl ?? OPEN_ACL_UNSAFE,
    auth: given.auth ?? [],
    tls,
    sasl: given.sasl,
    sendsPasswords,
    retry: given.retry === undefined ? null : retryPolicyOf(given.retry),
    watchBufferMax: positive('watchBufferMax', given.watchBufferMax ?? 10_000),
    logger: given.logger ?? null,
  }
}

/** A service may be anywhere. */
function knownHosts({ hosts, service }: ConnectString): readonly Host[] {
  return service === null ? hosts : [{ name: service, port: 0 }]
}

function followsConfig({ followConfig = false }: ConnectOptions, target: ConnectString): boolean {
  if (!followConfig || target.service === null) return followConfig
  const detail = 'the servers are those that dns-srv:// names, or those of /zookeeper/config'
  throw new ZooKeeperError('BAD_ARGUMENTS', { detail })
}

/** The hosts of another connect string of the same client. */
export function hostsFor(options: ClientOptions, connectString: string): readonly Host[] {
  const other = parseConnectString(connectString)
  const detail = faultOfOther(options, other)
  if (detail === null) return other.hosts
  throw new ZooKeeperError('BAD_ARGUMENTS', { op: 'updateServers', detail })
}

function faultOfOther({ target, tls }: ClientOptions, other: ConnectString): string | null {
  if (other.service !== null || target.service !== null)
    return 'a client of dns-srv:// stays one, and no other becomes one'
  if (other.chroot !== '' && other.chroot !== target.chroot)
    return `the chroot is ${target.chroot === '' ? '/' : target.chroot} for the whole life of a client`
  return other.tls && tls === null ? 'the client does not use TLS' : null
}

/** Throws `BAD_ARGUMENTS` if a password would cross the network as it is, unless that is allowed. */
export function checkAuth(scheme: string, hosts: readonly Host[], isAllowed: boolean): void {
  if (scheme !== 'digest' || isAllowed || hosts.every(isLoopback)) return
  const detail =
    'digest sends the password in clear text; use TLS, or allow it with allowInsecureAuth'
  throw new ZooKeeperError('BAD_ARGUMENTS', { op: 'addAuth', detail })
}

function isLoopback({ name }: Host): boolean {
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}
