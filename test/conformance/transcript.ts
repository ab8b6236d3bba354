/** Writes down what a server answers, without what may differ between two servers. */
import { type handshake, type Operation } from '../../src/protocol/index.ts'
import { RawClient } from '../unit/testing/raw-client.ts'

export type Scenario = (transcript: Transcript) => Promise<void>

export class Transcript {
  readonly lines: string[] = []
  readonly port: number
  readonly #clients: RawClient[] = []
  readonly #nameOf = new Map<bigint, string>()

  constructor(port: number) {
    this.port = port
  }

  /** What `scenario` saw on the server at `port`. Its sessions are closed at the end. */
  static async of(port: number, scenario: Scenario): Promise<readonly string[]> {
    const transcript = new Transcript(port)
    try {
      await scenario(transcript)
    } finally {
      for (const client of transcript.#clients) await client.close()
    }
    return transcript.lines
  }

  /** Opens a session that appears under `name`. */
  async connect(
    name: string,
    request: Partial<handshake.ConnectRequest> = {},
  ): Promise<RecordedClient> {
    const client = await RawClient.connect(this.port, request)
    this.#clients.push(client)
    if (client.sessionId !== 0n) this.#nameOf.set(client.sessionId, name)
    this.note(`${name} connects`, {
      timeOut: client.session?.timeOut,
      readOnly: client.session?.readOnly,
    })
    return new RecordedClient(this, client, name)
  }

  note(title: string, value: unknown): void {
    this.lines.push(`${title}: ${this.#text(value)}`)
  }

  #text(value: unknown): string {
    return JSON.stringify(value ?? null, (key, field: unknown) => {
      if (key === 'ctime' || key === 'mtime') return field === 0 ? 0 : 'some time'
      if (typeof field === 'bigint') return this.#nameOf.get(field) ?? String(field)
      // A server has no order for these.
      if (key === 'children' || key === 'ephemerals') return [...(field as string[])].sort()
      if (key === 'clientInfo')
        return (field as object[]).map((info) => JSON.stringify(info)).sort()
      // Session ids inside a Stat are text by now.
      if (key === 'ephemeralOwner') return this.#nameOf.get(BigInt(field as string)) ?? field
      return field
    })
  }
}

export class RecordedClient {
  readonly raw: RawClient
  readonly #transcript: Transcript
  readonly #name: string

  constructor(transcript: Transcript, raw: RawClient, name: string) {
    this.#transcript = transcript
    this.raw = raw
    this.#name = name
  }

  /** Asks, and writes down the reply and the events that came before it. */
  async call<Q>(operation: Operation<Q>, request: Q): Promise<void> {
    const seen = this.raw.events.length
    const { zxid, err, response, bytes } = await this.raw.call(operation, request)
    const events = this.raw.events.slice(seen)
    const reply = { zxid, err, length: bytes.length, response, events }
    this.#transcript.note(`${this.#name} ${operation.name} ${asked(request)}`, reply)
  }

  /** Writes down the next frame as it is; null stands for a closed connection. */
  async frame(): Promise<void> {
    const frame = await this.raw.takeFrame()
    this.#transcript.note(`${this.#name} receives`, frame?.toString('hex'))
  }

  async event(): Promise<void> {
    const { type, path } = await this.raw.takeEvent()
    this.#transcript.note(`${this.#name} is told`, `${type} ${path}`)
  }
}

function asked(request: unknown): string {
  return JSON.stringify(request ?? null, (_, field: unknown) =>
    typeof field === 'bigint' ? String(field) : field,
  )
}
