import { type Codec, handshake, Writer } from 'zoowire/protocol'

/** A request or a reply with everything before its record, for those who send it unseen. */
export function frameOf(write: (writer: Writer) => void): Buffer {
  const writer = new Writer()
  const start = writer.beginFrame()
  write(writer)
  writer.endFrame(start, Infinity)
  return Buffer.from(writer.written)
}

export function requestFrame<Q>(
  { code, request }: { readonly code: number; readonly request: Codec<Q> },
  body: Q,
): Buffer {
  return frameOf((writer) => {
    writer.int(1) // any xid will do: replies come in order
    writer.int(code)
    request.write(writer, body)
  })
}

export function replyFrame<A>(response: Codec<A>, body: A): Buffer {
  return frameOf((writer) => {
    writer.int(0) // the xid: it will be that of the request
    writer.long(1n)
    writer.int(0)
    response.write(writer, body)
  })
}

/** Opens a session of 30 s. */
export function connectFrame(): Buffer {
  return frameOf((writer) => {
    handshake.ConnectRequest.write(writer, {
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeOut: 30_000,
      sessionId: 0n,
      passwd: Buffer.alloc(16),
      readOnly: false,
    })
  })
}

export function addressOf(host: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(`zk://${host}`)
  return { host: hostname, port: Number(port) }
}
