/**
 * The first frame in each direction: a bare ConnectRequest, answered by a bare ConnectResponse.
 *
 * Both may be followed by one byte, whether read-only service is accepted or given. Clients and
 * servers up to 3.3 do not know it, and servers leave it out when they answer such a client.
 */
import { type Codec, type Reader, type Writer } from './bytes.ts'
import * as records from './records.ts'

export interface ConnectRequest extends records.ConnectRequest {
  /** Null if the byte is absent. */
  readonly readOnly: boolean | null
}

export interface ConnectResponse extends records.ConnectResponse {
  /** Null if the byte is absent. */
  readonly readOnly: boolean | null
}

export const ConnectRequest: Codec<ConnectRequest> = withReadOnly(records.ConnectRequest)
export const ConnectResponse: Codec<ConnectResponse> = withReadOnly(records.ConnectResponse)

/** No handshake frame is longer, so a peer that announces more is no ZooKeeper. */
export const handshakeBytesMax = 1024

function withReadOnly<T>(codec: Codec<T>): Codec<T & { readonly readOnly: boolean | null }> {
  return {
    name: codec.name,
    bytesMin: codec.bytesMin,
    write(writer: Writer, value) {
      codec.write(writer, value)
      if (value.readOnly !== null) writer.bool(value.readOnly)
    },
    read(reader: Reader) {
      const value = codec.read(reader)
      return { ...value, readOnly: reader.remaining > 0 ? reader.bool() : null }
    },
  }
}
