import { SpanStatusCode } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { connect, isZooKeeperError } from 'zoowire'
import { instrument, observeClient } from './open-telemetry.ts'
import { runIfMain, sessionTimeout, type Step } from './support.ts'

export const telemetry: Step = {
  title: 'Spans and metrics, for OpenTelemetry',

  async run({ connectString, say }) {
    const spans = new InMemorySpanExporter()
    const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
    const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter: metrics })
    const meters = new MeterProvider({ readers: [reader] })

    const stop = instrument(tracers.getTracer('zoowire'), meters.getMeter('zoowire'))
    const zk = await connect(connectString, { sessionTimeout })
    try {
      observeClient(meters.getMeter('zoowire'), zk)
      await zk.create('/traced', 'its data stays out of this')
      await zk.getData('/traced', { watch: () => undefined })
      try {
        await zk.delete('/missing')
      } catch (error) {
        if (!isZooKeeperError(error, 'NO_NODE')) throw error
      }
      await meters.forceFlush()

      for (const { name, attributes, status } of spans.getFinishedSpans()) {
        const outcome = String(attributes['zookeeper.outcome'])
        say(`span "${name}": ${outcome}${status.code === SpanStatusCode.ERROR ? ', an error' : ''}`)
      }
      const scopes = metrics.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
      for (const { descriptor, dataPoints } of scopes.flatMap((scope) => scope.metrics)) {
        say(`metric ${descriptor.name}: ${dataPoints.length} series`)
      }
    } finally {
      await zk.close()
      stop()
      await meters.shutdown()
      await tracers.shutdown()
    }
  },
}

runIfMain(import.meta.url, telemetry)
