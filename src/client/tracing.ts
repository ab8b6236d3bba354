/** Requests, for those who subscribe to the tracing channel. Unheard, they cost a look at it. */
import { tracingChannel } from 'node:diagnostics_channel'
import { isZooKeeperError } from '../protocol/errors.ts'
import { type CallTrace } from '../session/call.ts'
import { channels } from './channels.ts'

/** A trace while it is written. */
type OpenTrace = CallTrace & { op: string; path: string | null; error?: unknown }

const { start, end, asyncStart, asyncEnd, error } = tracingChannel<unknown, OpenTrace>(
  channels.request,
)

export function isTraced(): boolean {
  return (
    start.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    error.hasSubscribers
  )
}

/**
 * As `tracePromise` does, but it does not hand out the result, which is the caller's. `send` sends the
 * request; the trace it is given is completed before the promise settles.
 */
export function traced<T>(
  op: string,
  path: string | null,
  send: (trace: CallTrace) => Promise<T>,
): Promise<T> {
  const trace: OpenTrace = {
    op,
    path,
    xid: null,
    zxid: null,
    server: null,
    sessionId: null,
    bytesOut: 0,
    bytesIn: 0,
    outcome: null,
    code: null,
  }
  const settled = () => {
    asyncStart.publish(trace)
    asyncEnd.publish(trace)
  }
  return start.runStores(trace, () => {
    const promise = send(trace)
    end.publish(trace)
    return promise.then(
      (value) => {
        settled()
        return value
      },
      (reason: unknown) => {
        trace.error = reason
        if (isZooKeeperError(reason)) {
          trace.outcome = reason.outcome
          trace.code = reason.code
        }
        error.publish(trace)
        settled()
        throw reason
      },
    )
  })
}
