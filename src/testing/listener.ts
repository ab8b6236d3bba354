/** Accepts connections, bare or inside TLS, and makes them {@link Wire}s. */
import { createServer, type Server, Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions, TLSSocket } from 'node:tls'
import { plainAddress } from './acl.ts'
import { type Wire } from './link.ts'

/** Hands each connection on when it is open, which with TLS is behind its handshake. */
export function listenerOf(tls: TlsOptions | null, accept: (socket: Socket) => void): Server {
  if (tls === null) return createServer({ noDelay: true }, accept)
  return createTlsServer({ noDelay: true, ...tls }, accept)
}

export function wireOf(socket: Socket): Wire {
  return {
    remoteAddress: plainAddress(socket.remoteAddress ?? ''),
    remotePort: socket.remotePort,
    certificateSubject: socket instanceof TLSSocket ? subjectOf(socket) : undefined,
    write(bytes) {
      if (socket.writable) socket.write(bytes)
    },
    end: () => socket.destroySoon(),
    reset() {
      if (socket instanceof TLSSocket)
        socket.destroy() // Node resets bare sockets only
      else socket.resetAndDestroy()
    },
  }
}

/** As RFC 2253 writes it, and ZooKeeper's ACLs: the last part first, `CN=client,O=Test`. */
function subjectOf(socket: TLSSocket): string | undefined {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
  return certificate?.subject.split('\n').reverse().join(',')
}
