import { ZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { type Watcher, type WatchEvent } from '../session/watches.ts'
import { EventStream } from './event-stream.ts'

/** What a {@link Watch} needs of its client. */
export interface WatchHost {
  /** Asks the server for the watch, and says under which watcher it is registered. */
  arm(watcher: Watcher): { readonly ready: Promise<void>; readonly watcher: Watcher }
  /** Takes the watch back, here at once and on the server when it answers. */
  disarm(watcher: Watcher): void
  /** Is told when the consumer is too far behind. */
  readonly dropped: () => void
}

/**
 * A persistent watch as an async iterator. It lives from `zk.watch()` until it is left (`break`,
 * `return()`, disposal), its signal fires, or the client closes; reconnects and new sessions pass it
 * by, with a `resync` event where something may have been missed.
 */
export class Watch extends EventStream<WatchEvent> {
  /** Resolves when the server has set the watch: what changes from then on is told. */
  readonly ready: Promise<void>
  #disarm: () => void = () => undefined

  /** @internal Use `zk.watch()`. */
  constructor(path: string, bufferMax: number, host: WatchHost) {
    let isOver = false
    const end = () => {
      isOver = true
      this.#disarm()
    }
    super(bufferMax, { type: 'overflow', path, zxid: null }, end, host.dropped)
    const { ready, watcher } = host.arm((event) => {
      if (event.type === 'removed') this.end()
      else if (event.type === 'unimplemented') this.fail(unimplemented(path))
      else this.push(event)
    })
    this.#disarm = () => {
      host.disarm(watcher)
    }
    this.ready = ready
    ready.then(
      () => {
        if (isOver) this.#disarm() // left before the server had set it
      },
      (error: unknown) => {
        this.fail(error) // for those who iterate without awaiting `ready`
      },
    )
  }
}

function unimplemented(path: string): ZooKeeperError {
  const { name, since } = operations.addWatch
  return new ZooKeeperError('UNIMPLEMENTED', { op: name, path, since })
}
