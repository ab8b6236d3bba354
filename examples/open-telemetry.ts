/**
 * Spans and metrics of OpenTelemetry from what zoowire tells through `diagnostics_channel`. It works for
 * all clients of the process, and none of the code that uses them knows of it.
 */
import {
  type Attributes,
  type Meter,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
} from '@opentelemetry/api'
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { channels, type RequestTrace, type Stall, type StateChange, type ZooKeeper } from 'zoowire'

/**
 * A span and a duration for each request; counts of changes of state and of stalls.
 *
 * @returns what ends it.
 */
export function instrument(tracer: Tracer, meter: Meter): () => void {
  const stopRequests = instrumentRequests(tracer, meter)

  const changes = meter.createCounter('zookeeper.client.state_changes')
  const stalls = meter.createHistogram('zookeeper.client.stall.duration', { unit: 's' })
  const onChange = (message: unknown) => {
    const { state, reason } = message as StateChange
    changes.add(1, { state, reason })
  }
  const onStall = (message: unknown) => {
    const { kind, ms } = message as Stall
    stalls.record(ms / 1000, { kind })
  }
  subscribe(channels.session, onChange)
  subscribe(channels.stall, onStall)

  return () => {
    stopRequests()
    unsubscribe(channels.session, onChange)
    unsubscribe(channels.stall, onStall)
  }
}

/** What a client is doing now, read whenever metrics are collected. */
export function observeClient(meter: Meter, zk: ZooKeeper): void {
  const inFlight = meter.createObservableGauge('zookeeper.client.in_flight')
  const watches = meter.createObservableGauge('zookeeper.client.watches')
  meter.addBatchObservableCallback(
    (result) => {
      const stats = zk.stats()
      result.observe(inFlight, stats.inFlight)
      for (const [kind, count] of Object.entries(stats.watches)) {
        result.observe(watches, count, { kind })
      }
    },
    [inFlight, watches],
  )
}

function instrumentRequests(tracer: Tracer, meter: Meter): () => void {
  const durations = meter.createHistogram('db.client.operation.duration', { unit: 's' })
  const pending = new WeakMap<object, { readonly span: Span; readonly startedAtMs: number }>()

  const subscribers = {
    start(message: unknown) {
      const { op, path } = message as RequestTrace
      const name = path === null ? op : `${op} ${path}`
      // Its parent is whatever span is active where the call is made.
      const span = tracer.startSpan(name, { kind: SpanKind.CLIENT })
      pending.set(message as object, { span, startedAtMs: performance.now() })
    },
    end() {}, // the call has returned its promise
    asyncStart() {}, // it has settled
    asyncEnd(message: unknown) {
      const begun = pending.get(message as object)
      if (begun === undefined) return // it began before anybody subscribed
      const trace = message as RequestTrace
      const attributes = attributesOf(trace)
      durations.record((performance.now() - begun.startedAtMs) / 1000, attributes)
      begun.span.setAttributes({ ...attributes, 'zookeeper.outcome': trace.outcome ?? 'unknown' })
      if (trace.path !== null) begun.span.setAttribute('db.collection.name', trace.path)
      if (trace.zxid !== null) begun.span.setAttribute('zookeeper.zxid', hex(trace.zxid))
      if (trace.code !== null) begun.span.setStatus({ code: SpanStatusCode.ERROR })
      begun.span.end()
    },
    error() {}, // what it is stands in the trace
  }
  tracingChannel(channels.request).subscribe(subscribers)
  return () => {
    tracingChannel(channels.request).unsubscribe(subscribers)
  }
}

/** Few values each, so that they may divide a metric. Names follow OpenTelemetry's conventions. */
function attributesOf({ op, server, code }: RequestTrace): Attributes {
  return {
    'db.system.name': 'zookeeper',
    'db.operation.name': op,
    ...(server !== null && { 'server.address': server }),
    ...(code !== null && { 'error.type': code }),
  }
}

function hex(zxid: bigint): string {
  return `0x${zxid.toString(16)}`
}
