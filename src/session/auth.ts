import { operations } from '../protocol/operations.ts'
import { Call, type Failure } from './call.ts'

/** Asked at each dial: passwords are renewed while a client lives. */
export type AuthProvider = () => Promise<Uint8Array>

/**
 * One identity that every connection of the session takes on, before anything else is sent on it.
 * Servers keep identities per connection, so it is told to each of them anew.
 */
export class Credential {
  readonly scheme: string
  /** Private, so that no inspection and no log prints it. */
  #auth: Uint8Array
  readonly #provider: AuthProvider | null
  /** Called once with the first answer: undefined if a server accepted it. */
  #settled: (failure: Failure | undefined) => void

  constructor(
    scheme: string,
    auth: Uint8Array | AuthProvider,
    settled: (failure: Failure | undefined) => void = () => undefined,
  ) {
    this.scheme = scheme
    this.#auth = typeof auth === 'function' ? nothingYet : auth
    this.#provider = typeof auth === 'function' ? auth : null
    this.#settled = settled
  }

  /** Asks what to say from now on. It is said once the returned function has been called. */
  async renewal(): Promise<() => void> {
    const auth = this.#provider === null ? this.#auth : await this.#provider()
    return () => {
      this.#auth = auth
    }
  }

  /** The packet that tells the present connection. */
  call(): Call {
    return new AuthCall({ type: 0, scheme: this.scheme, auth: this.#auth }, this)
  }

  settle(failure?: Failure): void {
    const settled = this.#settled
    this.#settled = () => undefined
    settled(failure)
  }
}

const nothingYet = new Uint8Array(0)

class AuthCall extends Call {
  readonly #credential: Credential

  constructor(request: unknown, credential: Credential) {
    super(operations.auth, request, '', null)
    this.#credential = credential
  }

  override succeed(): void {
    this.#credential.settle()
  }

  /** A lost connection decides nothing: the next one is told again. */
  override fail(failure: Failure): void {
    if (failure.code !== 'CONNECTION_LOSS') this.#credential.settle(failure)
  }
}
