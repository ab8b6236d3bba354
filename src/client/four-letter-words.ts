/** The words of four letters, each a short connection of its own, beside any session. */
import { parseConnectString } from '../protocol/connect-string.ts'
import { isZooKeeperError, ZooKeeperError } from '../protocol/errors.ts'
import { type FourLetterWord, parseWord, type WordResult } from '../protocol/four-letter-words.ts'
import { type Link, type Runtime, type Target, type Transport } from '../session/runtime.ts'
import { targetsOf } from '../session/target.ts'
import { checkDial } from './dial-option.ts'
import { positive } from './numbers.ts'
import { type CallOptions, type ConnectOptions } from './options.ts'
import { tlsProviderOf } from './tls-option.ts'

export interface WordOptions extends CallOptions, Pick<ConnectOptions, 'tls' | 'lookup' | 'dial'> {
  /** Milliseconds for all of it. Default 5,000. */
  readonly timeout?: number | undefined
  /** Bytes of an answer before it fails with `REPLY_TOO_LARGE`. Default 4 MiB. */
  readonly answerBytesMax?: number
}

/**
 * Asks one server, `host:port`, what it thinks of itself, without a session: for health checks and
 * monitoring.
 *
 * Since 3.5.3 servers answer `srvr` alone, unless `4lw.commands.whitelist` names others. Errors:
 * `NOT_ALLOWED` for those; `NOT_SERVING` while a server has no quorum; `CONNECTION_LOSS` or
 * `TLS_FAILED`, with its `cause`; `TIMEOUT`, `ABORTED`; `PROTOCOL_ERROR` for an answer that is none; `REPLY_TOO_LARGE`;
 * `BAD_ARGUMENTS`, `BAD_CONNECT_STRING`.
 *
 * @example
 * const { mode, version, zxid } = await fourLetterWords.srvr('zk1:2181', { timeout: 1_000 })
 */
export type FourLetterWords = {
  readonly [W in FourLetterWord]: (server: string, options?: WordOptions) => Promise<WordResult<W>>
}

/** @internal The package's `fourLetterWords` is this with Node's runtime. */
export function wordsOver(runtimeOf: (options: WordOptions) => Runtime): FourLetterWords {
  const asking = <W extends FourLetterWord>(word: W) => {
    return async (server: string, options: WordOptions = {}): Promise<WordResult<W>> => {
      try {
        return parseWord(word, await ask(runtimeOf(options), server, word, options))
      } catch (error) {
        throw isZooKeeperError(error) ? named(error, word, server) : error
      }
    }
  }
  return {
    srvr: asking('srvr'),
    stat: asking('stat'),
    ruok: asking('ruok'),
    isro: asking('isro'),
    cons: asking('cons'),
    conf: asking('conf'),
    mntr: asking('mntr'),
    wchs: asking('wchs'),
  }
}

function named({ code, detail, cause }: ZooKeeperError, op: string, server: string) {
  return new ZooKeeperError(code, { op, server, detail, cause })
}

async function ask(
  runtime: Runtime,
  server: string,
  word: FourLetterWord,
  options: WordOptions,
): Promise<string> {
  const { timeout = 5_000, signal, answerBytesMax = 4 * 1024 * 1024 } = options
  const timeoutMs = positive('timeout', timeout)
  const { hosts, chroot, tls: isNamedTls } = parseConnectString(server)
  const [host] = hosts
  if (host === undefined || hosts.length > 1 || chroot !== '') {
    throw new ZooKeeperError('BAD_ARGUMENTS', { detail: `"${server}" is not one host:port` })
  }
  checkDial(options.dial)
  const tls = tlsProviderOf(options.tls, isNamedTls)
  const exchange = new Exchange(runtime, word, positive('answerBytesMax', answerBytesMax))
  const timer = runtime.timer(runtime.nowMs() + timeoutMs, () => {
    exchange.fail('TIMEOUT')
  })
  const abort = () => {
    exchange.fail('ABORTED', signal?.reason)
  }
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted === true) abort()
  try {
    targetsOf(runtime, { host, attempt: 0 }, tls).then(exchange.dial, exchange.handleClosed)
    return await exchange.answer
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', abort)
  }
}

/** One word, and what comes back until the server hangs up. */
class Exchange implements Link {
  readonly answer: Promise<string>
  readonly #runtime: Runtime
  readonly #word: string
  readonly #bytesMax: number
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #transport: Transport | null = null
  /** Further addresses of the host; none once one has opened. */
  #others: readonly Target[] = []
  #isOver = false
  #resolve: (text: string) => void = () => undefined
  #reject: (error: ZooKeeperError) => void = () => undefined

  constructor(runtime: Runtime, word: string, bytesMax: number) {
    this.#runtime = runtime
    this.#word = word
    this.#bytesMax = bytesMax
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  readonly dial = ([target, ...others]: readonly [Target, ...Target[]]): void => {
    if (this.#isOver) return
    this.#others = others
    try {
      this.#transport = this.#runtime.dial(target, this)
    } catch (error) {
      this.handleClosed(error)
    }
  }

  handleOpened(): void {
    this.#others = []
    this.#transport?.write([Buffer.from(this.#word, 'latin1')])
  }

  handleBytes(bytes: Buffer, length: number): void {
    this.#bytes += length
    this.#chunks.push(Buffer.from(bytes.subarray(0, length)))
    if (this.#bytes > this.#bytesMax) this.fail('REPLY_TOO_LARGE')
  }

  handleWritten(): void {
    // Four bytes: nothing waits for them to leave.
  }

  /** A server closes the connection behind its answer. */
  readonly handleClosed = (cause: unknown): void => {
    const [target, ...others] = this.#others
    if (target !== undefined) this.dial([target, ...others])
    else if (cause !== null) this.fail('CONNECTION_LOSS', cause)
    else this.#end(() => this.#resolve(Buffer.concat(this.#chunks).toString('utf8')))
  }

  fail(code: 'ABORTED' | 'CONNECTION_LOSS' | 'REPLY_TOO_LARGE' | 'TIMEOUT', cause?: unknown): void {
    const isKnown = code === 'CONNECTION_LOSS' && isZooKeeperError(cause) // TLS_FAILED, say
    const context = cause === undefined ? {} : { cause }
    this.#end(() => this.#reject(isKnown ? cause : new ZooKeeperError(code, context)))
  }

  #end(settle: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#transport?.destroy()
    settle()
  }
}
