import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { OPEN_ACL_UNSAFE } from 'zoowire'
import { CreateFlags, operations } from 'zoowire/protocol'
import { addressOf, connectFrame, requestFrame } from '../frames.ts'
import { benchPath, mixedPeriod, type Plan, type RequestWorkload } from '../plan.ts'
import { type Contender, type Meter } from './meter.ts'

/**
 * No client at all, and so the limit of what one can do on a socket of Node.js: it sends requests that
 * were encoded beforehand, all under one xid, and counts the replies by their lengths.
 */
export async function contend(plan: Plan): Promise<Contender> {
  const replies = new ReplyCounter()
  const buffer = Buffer.allocUnsafeSlow(256 * 1024)
  const socket = connect({
    ...addressOf(plan.hosts[0]!),
    noDelay: true,
    onread: {
      buffer,
      callback(length) {
        replies.read(buffer, length)
        return true
      },
    },
  })
  await once(socket, 'connect')
  socket.write(connectFrame())
  await new Promise<void>((resolve) => {
    replies.onReplies = () => resolve()
  })

  return {
    run: (meter) => new RequestPump(socket, replies, plan).run(meter),
    async close() {
      socket.end(requestFrame(operations.closeSession, undefined))
      await once(socket, 'close')
    },
  }
}

class ReplyCounter {
  onReplies: (count: number) => void = () => {}
  /** Looking at the outcome of each reply is for the warm-up. */
  isChecking = false
  #left = 0
  #prefix = 0
  #prefixBytes = 0

  read(bytes: Buffer, length: number): void {
    let count = 0
    let at = 0
    while (at < length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, length - at)
        at += step
        this.#left -= step
        if (this.#left === 0) count++
      } else if (this.#prefixBytes === 0 && length - at >= 4) {
        this.#left = bytes.readInt32BE(at)
        at += 4
        if (this.isChecking && length - at >= 16) this.#check(bytes.readInt32BE(at + 12))
      } else {
        this.#prefix = (this.#prefix << 8) | bytes[at++]!
        if (++this.#prefixBytes === 4) {
          this.#left = this.#prefix
          this.#prefix = this.#prefixBytes = 0
        }
      }
    }
    if (count > 0) this.onReplies(count)
  }

  #check(err: number): void {
    if (err !== 0) throw new Error(`the server answers with error ${err}`)
  }
}

/** As many requests as there were replies, in one write. */
class RequestPump {
  readonly #socket: Socket
  readonly #replies: ReplyCounter
  readonly #inFlightMax: number
  /** The requests twice over, so that any run of up to `#count` of them is in one piece. */
  readonly #bytes: Buffer
  readonly #offsets: number[]
  readonly #count: number
  #next = 0
  #inFlight = 0

  constructor(socket: Socket, replies: ReplyCounter, plan: Plan) {
    const requests = requestsOf(plan)
    const twice = [...requests, ...requests]
    this.#socket = socket
    this.#replies = replies
    this.#inFlightMax = plan.inFlight
    this.#bytes = Buffer.concat(twice)
    this.#offsets = [0]
    for (const { length } of twice) this.#offsets.push(this.#offsets.at(-1)! + length)
    this.#count = requests.length
  }

  async run(meter: Meter): Promise<void> {
    let timedAtMs = performance.now()
    let repliesUntilTimed = 1
    await new Promise<void>((resolve) => {
      this.#replies.onReplies = (count) => {
        this.#replies.isChecking = !meter.isMeasuring
        meter.operations += count
        this.#inFlight -= count
        repliesUntilTimed -= count
        if (repliesUntilTimed <= 0) {
          // One request at a time is timed: the last of those that are sent now.
          const nowMs = performance.now()
          meter.recordLatency(nowMs - timedAtMs)
          timedAtMs = nowMs
          repliesUntilTimed = this.#inFlightMax
        }
        if (meter.isRunning) this.#send(count)
        else if (this.#inFlight === 0) resolve()
      }
      this.#send(this.#inFlightMax)
    })
  }

  #send(count: number): void {
    const start = this.#offsets[this.#next]!
    const end = this.#offsets[this.#next + count]!
    this.#socket.write(this.#bytes.subarray(start, end))
    this.#next = (this.#next + count) % this.#count
    this.#inFlight += count
  }
}

/** At least as many requests as are in flight, and a whole number of the workload's rounds. */
function requestsOf({ workload, inFlight, valueBytes }: Plan): Buffer[] {
  if (workload === 'lock') throw new Error('a lock needs replies that are read')
  const data = Buffer.alloc(valueBytes, 'x')
  const get = requestFrame(operations.getData, { path: benchPath, watch: false })
  const set = requestFrame(operations.setData, { path: benchPath, data, version: -1 })
  const create = (index: number) => {
    const path = `${benchPath}/${process.pid}-${index}`
    return requestFrame(operations.create2, {
      path,
      data,
      acl: OPEN_ACL_UNSAFE,
      flags: CreateFlags.persistent,
    })
  }
  const remove = (index: number) => {
    return requestFrame(operations.delete, {
      path: `${benchPath}/${process.pid}-${index}`,
      version: -1,
    })
  }
  const rounds: Record<RequestWorkload, (index: number) => Buffer[]> = {
    getData: () => [get],
    getMany: () => [get],
    setData: () => [set],
    'create-delete': (index) => [create(index), remove(index)],
    mixed: () => [set, ...new Array<Buffer>(mixedPeriod - 1).fill(get)],
  }
  return Array.from({ length: inFlight }, (_, index) => rounds[workload](index)).flat()
}
