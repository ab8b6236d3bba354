import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo } from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect, type Dial, type DialRequest, fourLetterWords } from '../../src/index.ts'
import { TestServer } from '../../src/testing/index.ts'
import { Authority } from '../support/certificates.ts'
import { describeServers, errorOf, open, openAt, type Server } from '../support/servers.ts'

const fast = { backoff: { msMin: 1, msMax: 5 } } as const

/** What a connect that never succeeds is told of its last attempt. */
async function failureOf(dial: unknown): Promise<unknown> {
  const options = { ...fast, dial: dial as Dial, connectTimeout: 100 }
  const error = (await errorOf(connect('zk.example', options))) as Error
  expect(error).toMatchObject({ code: 'TIMEOUT', op: 'connect' })
  return error.cause
}

describeServers('dial', (server) => {
  const tcp = () => {
    const [host, port] = server.connectString.split(':')
    return createConnection({ host: host!, port: Number(port), noDelay: true })
  }

  test('is asked for the stream of every connection, with host and port as they were named', async () => {
    const asked: string[] = []
    const dial = ({ host, port }: DialRequest) => {
      asked.push(`${host}:${port}`)
      return tcp()
    }
    const zk = await openAt('zk.example:1234', { ...fast, dial })
    expect(zk.server).toBe('zk.example:1234')
    await zk.sync()
    expect(asked).toEqual(['zk.example:1234'])
    expect(await fourLetterWords.isro('zk.example:99', { dial })).toBe('rw')
    expect(asked).toEqual(['zk.example:1234', 'zk.example:99'])
  })

  test('the session goes on over the next stream when one is lost', async () => {
    const sockets: Duplex[] = []
    const dial = async () => {
      const socket = tcp()
      sockets.push(socket)
      await once(socket, 'connect')
      return socket
    }
    const zk = await open(server, { ...fast, dial })
    const { id } = zk.session
    const suspended = zk.waitFor('suspended')
    sockets.at(-1)!.destroy(new Error('the tunnel fell in'))
    await suspended
    await zk.exists('/')
    expect([zk.session.id, sockets.length]).toEqual([id, 2])
  })

  test('goes through a proxy, which looks the name up', async () => {
    await using proxy = await connectProxy(server)
    const dial = async ({ host, port, signal }: DialRequest) => {
      const socket = createConnection({ port: proxy.port, signal })
      socket.write(`CONNECT ${host}:${port} HTTP/1.1\r\n\r\n`)
      const [answer] = (await once(socket, 'data', { signal })) as [Buffer]
      if (!answer.toString().startsWith('HTTP/1.1 200')) throw new Error(answer.toString())
      return socket
    }
    const zk = await openAt('zk.behind-the-proxy:2181', { dial })
    const { path } = await zk.create('/dial-', 'x', { mode: 'ephemeral-sequential' })
    expect(String((await zk.getData(path)).data)).toBe('x')
    expect(proxy.targets).toEqual(['zk.behind-the-proxy:2181'])
    const elsewhere = { ...fast, dial, connectTimeout: 100 }
    const error = (await errorOf(connect('elsewhere:1', elsewhere))) as Error
    expect((error.cause as Error).message).toMatch(/^HTTP\/1.1 403/)
  })
})

/** A proxy by `CONNECT`, as much as a test needs of one: to one server, under one name. */
async function connectProxy({ connectString }: Server) {
  const [host, port] = connectString.split(':')
  const targets: string[] = []
  const listener = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('data', (request) => {
      const [, target = ''] = request.toString().split(' ')
      if (!target.startsWith('zk.')) return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
      targets.push(target)
      const onward = createConnection({ host: host!, port: Number(port) }, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.pipe(onward).pipe(socket)
      })
      socket.on('close', () => onward.destroy())
      return undefined
    })
  }).listen(0)
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    targets,
    [Symbol.asyncDispose]: async () => {
      listener.close()
    },
  }
}

describe('a dial that fails costs its attempt:', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('no proxy')
      },
      { message: 'no proxy' },
    ],
    ['rejects', () => Promise.reject(new Error('no tunnel')), { message: 'no tunnel' }],
    ['gives nothing', () => undefined, { code: 'BAD_ARGUMENTS' }],
    ['gives no stream', () => ({ write() {} }), { code: 'BAD_ARGUMENTS' }],
    [
      'gives a stream of objects',
      () => new PassThrough({ objectMode: true }),
      { code: 'BAD_ARGUMENTS' },
    ],
    [
      'gives a stream of text',
      () => new PassThrough().setEncoding('utf8'),
      { code: 'BAD_ARGUMENTS' },
    ],
    [
      'gives a stream that has ended',
      () => new PassThrough().destroy(),
      { code: 'CONNECTION_LOSS' },
    ],
    [
      'gives a stream that fails',
      () => new PassThrough().destroy(new Error('broken')),
      { code: 'CONNECTION_LOSS', cause: { message: 'broken' } },
    ],
    ['echoes', () => new PassThrough(), { code: 'PROTOCOL_ERROR' }],
  ])('it %s', async (_, dial, cause) => {
    expect(await failureOf(dial)).toMatchObject(cause)
  })

  test('a stream that fails while it is written to', async () => {
    const stream = () => {
      const duplex = new Duplex({
        read() {},
        write() {
          duplex.emit('error', new Error('at once'))
        },
      })
      return duplex
    }
    expect(await failureOf(stream)).toMatchObject({ message: 'at once' })
  })
})

test.each([3, 'socks://proxy', null, {}])('dial: %o is refused', async (dial) => {
  const options = { dial: dial as unknown as Dial }
  expect(await errorOf(connect('zk1', options))).toMatchObject({ code: 'BAD_ARGUMENTS' })
  const asked = fourLetterWords.ruok('zk1', options)
  expect(await errorOf(asked)).toMatchObject({ code: 'BAD_ARGUMENTS' })
})

test('lookup, if given, decides what host the stream is for', async () => {
  await using server = await TestServer.start({ listen: false })
  const asked: string[] = []
  const dial = async ({ host }: DialRequest) => {
    asked.push(host)
    if (host === '192.0.2.1') throw new Error('nobody there')
    return server.dial()
  }
  const zk = await connect('zk1', { dial, lookup: async () => ['192.0.2.1', '192.0.2.2'] })
  await zk.close()
  expect(asked).toEqual(['192.0.2.1', '192.0.2.2'])
})

test('a dial that takes too long is told so, and its stream is destroyed when it comes', async () => {
  const late = new PassThrough()
  let bring = (_stream: Duplex): void => {}
  const signals: AbortSignal[] = []
  await using server = await TestServer.start({ listen: false })
  const dial = ({ signal }: DialRequest) => {
    signals.push(signal)
    if (signals.length > 1) return server.dial()
    return new Promise<Duplex>((resolve) => (bring = resolve))
  }
  const zk = await connect('zk1', { ...fast, dial, sessionTimeout: 3_000 }) // dials within 1 s
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  bring(late)
  await once(late, 'close')
  await zk.close()
  expect(signals[1]?.aborted).toBe(true)
})

test('close() gives up a dial that goes on, and destroys the stream of the connection', async () => {
  await using server = await TestServer.start({ listen: false })
  const streams: Duplex[] = []
  const signals: AbortSignal[] = []
  const dial = async ({ signal }: DialRequest) => {
    signals.push(signal)
    if (streams.length > 0) return new Promise<never>(() => {})
    streams.push(await server.dial())
    return streams[0]!
  }
  const zk = await connect('zk1', { ...fast, dial })
  server.cut()
  await expect.poll(() => signals.length).toBe(2)
  expect(streams[0]?.destroyed).toBe(true)
  await zk.close()
  expect(signals[1]?.aborted).toBe(true)
})

test('a stream that takes nothing for a while is given no more', async () => {
  await using server = await TestServer.start({ listen: false })
  let held: (() => void)[] | null = null
  const dial = async () => {
    const inner = await server.dial()
    const outer = new Duplex({
      highWaterMark: 1,
      read() {},
      write(chunk: Buffer, _encoding, done) {
        const pass = () => {
          inner.write(chunk)
          done()
        }
        if (held === null) pass()
        else held.push(pass)
      },
      destroy: () => inner.destroy(),
    })
    inner.on('data', (chunk) => outer.push(chunk))
    inner.on('error', (error) => outer.destroy(error))
    inner.on('close', () => outer.destroy())
    return outer
  }
  const zk = await connect('zk1', { dial })
  await zk.create('/a')
  const passes: (() => void)[] = (held = [])
  const first = zk.setData('/a', 'x')
  await expect.poll(() => passes.length).toBe(1)
  const { bytesOut } = zk.stats()
  const later = Array.from({ length: 100 }, async (_, i) => zk.setData('/a', `${i}`))
  await new Promise((resolve) => setImmediate(resolve))
  expect(zk.stats().bytesOut).toBe(bytesOut)
  held = null
  passes[0]!()
  await first
  expect((await Promise.all(later)).at(-1)?.version).toBe(101)
  await zk.close()
})

test('a stream that answers while it is written to does no harm', async () => {
  await using server = await TestServer.start({ listen: false })
  // What was answered to one write comes within the next one, as a stream in memory may do it.
  const dial = async () => {
    const inner = await server.dial()
    const waiting: Buffer[] = []
    const flush = () => {
      for (const bytes of waiting.splice(0)) outer.push(bytes)
    }
    const outer = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        flush()
        inner.write(chunk)
        done()
      },
      destroy: () => inner.destroy(),
    })
    inner.on('data', (chunk: Buffer) => {
      waiting.push(chunk)
      setImmediate(flush)
    })
    inner.on('error', (error) => outer.destroy(error))
    inner.on('close', () => outer.destroy())
    return outer
  }
  const zk = await connect('zk1', { dial })
  const results = await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      await zk.create(`/a-${i}`, `${i}`)
      return Number((await zk.getData(`/a-${i}`)).data)
    }),
  )
  expect(results).toEqual(Array.from({ length: 300 }, (_, i) => i))
  await zk.close()
})

test('a stream may keep the bytes that it was given', async () => {
  await using server = await TestServer.start({ listen: false })
  const dial = async () => {
    const inner = await server.dial()
    const kept: Buffer[] = []
    const outer = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        kept.push(chunk) // and there it stays while the next ones are written
        done()
        setTimeout(() => inner.write(kept.shift()), 5)
      },
      destroy: () => inner.destroy(),
    })
    inner.on('data', (chunk) => outer.push(chunk))
    inner.on('error', (error) => outer.destroy(error))
    return outer
  }
  const zk = await connect('zk1', { dial })
  const created: Promise<unknown>[] = []
  for (let i = 0; i < 10; i++) {
    created.push(zk.create(`/a-${i}`, `${i}`))
    await new Promise((resolve) => setImmediate(resolve)) // a write each
  }
  await Promise.all(created)
  const data = [...server.snapshot()].filter(([path]) => path.startsWith('/a-'))
  expect(data.map(([path, znode]) => `${path} ${String(znode.data)}`)).toEqual(
    Array.from({ length: 10 }, (_, i) => `/a-${i} ${i}`),
  )
  await zk.close()
})

describe('TLS inside of a stream', () => {
  const server = Authority.create().then(async (authority) => {
    const identity = await authority.issue({ hosts: ['zk1.example', '192.0.2.1'] })
    return { ca: authority.cert, running: await TestServer.start({ tls: identity, listen: false }) }
  })
  afterAll(async () => (await server).running.close())

  test.each(['zk1.example', '192.0.2.1'])('is verified for %s as it was named', async (name) => {
    const { ca, running } = await server
    const zk = await connect(`zks://${name}:2281`, { dial: running.dial, tls: { ca } })
    onTestFinished(() => zk.close())
    expect(zk.server).toBe(`${name}:2281`)
    await zk.sync()
  })

  test.each([
    ['another name', 'zk2.example', true, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['another address', '192.0.2.2', true, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['an authority that nobody trusts', 'zk1.example', false, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ])('is refused for %s', async (_, name, isTrusted, code) => {
    const { ca, running } = await server
    const tls = isTrusted ? { ca } : true
    const options = { ...fast, dial: running.dial, tls, connectTimeout: 200 }
    const error = (await errorOf(connect(name, options))) as Error
    expect(error.cause).toMatchObject({ code: 'TLS_FAILED', cause: { code } })
  })

  test('that cannot be spoken for its options costs the stream', async () => {
    const streams: Duplex[] = []
    const dial = async () => {
      const stream = await (await server).running.dial()
      streams.push(stream)
      return stream
    }
    const options = { ...fast, dial, tls: () => ({ key: 'none' }), connectTimeout: 100 }
    expect(await errorOf(connect('zk1', options))).toMatchObject({ code: 'TIMEOUT' })
    expect(streams.map(({ destroyed }) => destroyed)).not.toContain(false)
  })

  test('is told from a server that hangs up', async () => {
    const { ca } = await server
    const dial = () => {
      const stream: Duplex = new Duplex({
        read() {},
        write(_chunk, _encoding, done) {
          stream.push(null)
          done()
        },
      })
      return stream
    }
    const options = { ...fast, dial, tls: { ca }, connectTimeout: 200 }
    const error = (await errorOf(connect('zk1', options))) as Error
    expect(error.cause).toMatchObject({ code: 'TLS_FAILED' })
  })
})
