/** One contestant's turn: a process that encodes and decodes every sample, and tells how long it took. */
import { do_not_optimize, measure } from 'mitata'
import { type Contestant, coderOf, encodingOf } from './contestants.ts'
import { samples } from './samples.ts'

/** Nanoseconds for one, the median of the turn. */
export interface CodecMeasurement {
  readonly encode: number
  readonly decode: number
}

const [contestant, milliseconds] = process.argv.slice(2) as [Contestant, string]
const coders = samples.map((sample) => {
  const encoded = encodingOf(sample)
  const coder = coderOf(contestant, sample, encoded)
  coder.encode()
  if (!coder.encoded().equals(encoded))
    throw new Error(`${contestant} encodes ${sample.name} wrong`)
  return { sample, coder }
})

// Everything once beforehand: code that has seen one record only is faster than it will ever be again.
for (const { coder } of coders) await time(coder, Number(milliseconds) / 4)

const measured: Record<string, CodecMeasurement> = {}
for (const { sample, coder } of coders) {
  measured[sample.name] = await time(coder, Number(milliseconds))
}
process.send?.(measured)
process.disconnect?.()

async function time(coder: ReturnType<typeof coderOf>, ms: number): Promise<CodecMeasurement> {
  const options = { min_cpu_time: ms * 1e6 }
  const encode = await measure(() => do_not_optimize(coder.encode()), options)
  const decode = await measure(() => do_not_optimize(coder.decode()), options)
  return { encode: encode.p50, decode: decode.p50 }
}
