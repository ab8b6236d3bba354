/** One running instance of a service. */
export interface ServiceInstance {
  /** The service's name: a segment of a path. */
  readonly name: string
  /** What tells the instances of a service apart: a segment of a path. */
  readonly id: string
  readonly address: string
  readonly port: number
  /** Anything that JSON can carry; null if there is nothing. */
  readonly payload: unknown
  /** Milliseconds since 1970, on the clock of the one who registered. */
  readonly registeredAtMs: number
}

/** As Curator writes it, without the name of a Java class. */
export function encodeInstance({ registeredAtMs, ...instance }: ServiceInstance): string {
  return JSON.stringify({
    ...instance,
    sslPort: null,
    registrationTimeUTC: registeredAtMs,
    serviceType: 'DYNAMIC',
    uriSpec: null,
    enabled: true,
  })
}

/** @returns null for what is no instance, or one that was disabled: the others count. */
export function decodeInstance(data: Buffer | null): ServiceInstance | null {
  try {
    const raw = JSON.parse(data?.toString('utf8') ?? '') as Record<string, unknown> | null
    if (raw === null || raw['enabled'] === false) return null
    const { name, id, address, port, sslPort, payload = null, registrationTimeUTC } = raw
    const isInstance =
      typeof name === 'string' && typeof id === 'string' && typeof address === 'string'
    const anyPort = typeof port === 'number' ? port : sslPort
    if (!isInstance || typeof anyPort !== 'number') return null
    return {
      name,
      id,
      address,
      port: anyPort,
      payload,
      registeredAtMs: Number(registrationTimeUTC),
    }
  } catch {
    return null
  }
}
