import { type Codec, MultiRequest, Reader, records, Writer } from 'zoowire/protocol'
import * as obvious from '../../test/property/schema-interpreter.ts'
import { type Sample } from './samples.ts'
import * as table from './table.ts'

export const contestants = ['generated', 'table', 'obvious'] as const
export type Contestant = (typeof contestants)[number]

/** One sample in the hands of one contestant. */
export interface Coder {
  encode(): unknown
  decode(): unknown
  /** What `encode` has made. */
  encoded(): Buffer
}

export function coderOf(contestant: Contestant, sample: Sample, encoded: Buffer): Coder {
  return makers[contestant](sample, encoded)
}

export function encodingOf(sample: Sample): Buffer {
  const values = sample.records.map(([record, value]) => obvious.encode(record, value))
  return Buffer.concat(values)
}

const makers: Readonly<Record<Contestant, (sample: Sample, encoded: Buffer) => Coder>> = {
  /** As the session does it: one writer and one reader for everything. */
  generated(sample, encoded) {
    const [codec, value] = codecOf(sample)
    return {
      encode() {
        writer.rewind(0)
        codec.write(writer, value)
      },
      decode: () => codec.read(reader.reset(encoded, 0, encoded.length)),
      encoded: () => writer.written,
    }
  },

  table: ({ records }, encoded) => ({
    encode() {
      writer.rewind(0)
      for (const [record, value] of records) {
        table.write(writer, record, value as Record<string, unknown>)
      }
    },
    decode() {
      reader.reset(encoded, 0, encoded.length)
      return records.map(([record]) => table.read(reader, record))
    },
    encoded: () => writer.written,
  }),

  obvious: (sample, encoded) => ({
    encode: () => encodingOf(sample),
    decode() {
      const cursor = { bytes: encoded, at: 0 }
      return sample.records.map(([record]) => obvious.decode(record, cursor))
    },
    encoded: () => encodingOf(sample),
  }),
}

const writer = new Writer(64 * 1024)
const reader = new Reader()

function codecOf({ parts, records: listed }: Sample): [Codec<unknown>, unknown] {
  if (parts !== undefined) return [MultiRequest, parts]
  const [[record, value] = ['', null]] = listed
  const codecs = records as Readonly<Record<string, unknown>>
  return [codecs[record] as Codec<unknown>, value]
}
