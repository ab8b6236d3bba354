/**
 * Bugs to plant, each a line that somebody could well have written. A test suite that does not find
 * them proves nothing; what finds each of these are the simulated runs.
 */

export interface Canary {
  /** What the planted bug does. */
  readonly name: string
  readonly file: string
  /** Must stand in the file exactly once. */
  readonly original: string
  readonly planted: string
}

export const canaries: readonly Canary[] = [
  {
    name: 'xids start at 0',
    file: 'src/session/pipeline.ts',
    original: '#xid = 0',
    planted: '#xid = -1',
  },
  {
    name: 'half a frame is kept over a reconnect',
    file: 'src/session/session.ts',
    original: 'this.#splitter = new FrameSplitter(handshakeBytesMax)\n    const writer',
    planted: 'const writer',
  },
  {
    name: 'the first chunk of watches is not told to a new connection',
    file: 'src/session/watches.ts',
    original: 'return chunks\n',
    planted: 'return chunks.slice(1)\n',
  },
  {
    name: 'watches are set again as of now, not as of the last reply',
    file: 'src/session/watches.ts',
    original: 'let chunk = emptyChunk(relativeZxid)',
    planted: 'let chunk = emptyChunk(relativeZxid + 1_000_000n)',
  },
  {
    name: 'a persistent watch does not own up to a gap',
    file: 'src/session/session.ts',
    original: 'for (const chunk of chunks) this.watches.resync(chunk)',
    planted: '',
  },
  {
    name: 'one-shot watches are forgotten when a session expires',
    file: 'src/session/session.ts',
    original: "this.watches.endOneShots('session-expired')",
    planted: '',
  },
  {
    name: 'a write that was cut off is told as not applied',
    file: 'src/session/pipeline.ts',
    original: "outcome: isSeen ? 'unknown' : 'not-applied'",
    planted: "outcome: 'not-applied'",
  },
  {
    name: 'a write that was cut off is sent again',
    file: 'src/session/pipeline.ts',
    original: "if (effect === 'read' || (effect === 'write' && !isSeen)) {",
    planted: "if (effect === 'read' || effect === 'write') {",
  },
  {
    name: 'calls that wait go out in the wrong order',
    file: 'src/session/pipeline.ts',
    original: 'for (const call of waiting) this.#enqueue(call)',
    planted: 'for (const call of waiting.reverse()) this.#enqueue(call)',
  },
  {
    name: 'written memory is used again before it has left',
    file: 'src/session/driver.ts',
    original: 'if (this.#transport!.write(parts)) this.#session.handleWritten()',
    planted:
      'this.#transport!.write(parts)\n    if (parts.length > 0) this.#session.handleWritten()',
  },
  {
    name: 'data that was read shares its memory with the next read',
    file: 'src/protocol/bytes.ts',
    original: 'this.bytes.copy(copy, 0, start, start + length)\n    return copy',
    planted: 'this.bytes.copy(copy)\n    return this.bytes.subarray(start, start + length)',
  },
  {
    name: 'there is no pause between dials',
    file: 'src/session/timing.ts',
    original: 'return random * Math.min(',
    planted: 'return 0 * random * Math.min(',
  },
  {
    name: 'a silent server is never given up',
    file: 'src/session/session.ts',
    original: 'else if (nowMs >= this.#pingDueMs()) this.#isPingDue = true',
    planted: '',
  },
  {
    name: 'a lease outlives its session',
    file: 'src/recipes/lease.ts',
    original: 'this.#untilMs = sentAtMs + (this.#zk.session.timeout * 2) / 3',
    planted: 'this.#untilMs = sentAtMs + this.#zk.session.timeout * 2',
  },
  {
    name: 'a contender does not look who is ahead',
    file: 'src/recipes/contender.ts',
    original: 'return line[index - 1] ?? null',
    planted: 'return line[index + 1_000_000] ?? null',
  },
  {
    name: 'an abandoned attempt leaves its znode behind',
    file: 'src/recipes/line.ts',
    original: 'void contender.leave()\n      if (!isPlaceLost(error)) throw error',
    planted: 'if (!isPlaceLost(error)) throw error',
  },
  {
    name: 'a client that closes does not tell the servers',
    file: 'src/session/session.ts',
    original: 'this.pipeline.sendLast(new CloseCall(() => this.#finish()))',
    planted: 'this.#finish()',
  },
  {
    name: 'the server forgets to tell what a watch has missed',
    file: 'src/testing/watches.ts',
    original: 'else if (znode.mzxid > request.relativeZxid) tell(EventType.NodeDataChanged, path)',
    planted: '',
  },
]
