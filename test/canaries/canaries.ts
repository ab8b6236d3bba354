/**
 * Bugs to plant, each a line that somebody could well have written. A test suite that does not find
 * them proves nothing; what finds each of these are the simulated runs. `tested-canaries.ts` has others.
 */

export interface Canary {
  /** What the planted bug does. */
  readonly name: string
  readonly file: string
  /** What must stand in the file exactly once, and what stands there instead. */
  readonly edits: readonly (readonly [original: string, planted: string])[]
}

export const canaries: readonly Canary[] = [
  {
    name: 'xids start at 0',
    file: 'src/session/pipeline.ts',
    edits: [['#xid = 0', '#xid = -1']],
  },
  {
    name: 'half a frame is kept over a reconnect',
    file: 'src/session/connection.ts',
    edits: [
      ['this.#splitter = new FrameSplitter(handshakeBytesMax)\n    const writer', 'const writer'],
    ],
  },
  {
    name: 'the first chunk of watches is not told to a new connection',
    file: 'src/session/watches.ts',
    edits: [['return chunks\n', 'return chunks.slice(1)\n']],
  },
  {
    name: 'watches are set again as of now, not as of the last reply',
    file: 'src/session/watches.ts',
    edits: [
      [
        'let chunk = emptyRegistration(relativeZxid)',
        'let chunk = emptyRegistration(relativeZxid + 1_000_000n)',
      ],
    ],
  },
  {
    name: 'a persistent watch does not own up to a gap',
    file: 'src/session/server-watches.ts',
    edits: [['if (!known.has(key)) this.wanted.resync(mode, path)', '']],
  },
  {
    name: 'one-shot watches are forgotten when a session expires',
    file: 'src/session/session.ts',
    edits: [["this.watches.endOneShots('session-expired')", '']],
  },
  {
    name: 'a write that was cut off is told as not applied',
    file: 'src/session/pipeline.ts',
    edits: [["outcome: isSeen ? 'unknown' : 'not-applied'", "outcome: 'not-applied'"]],
  },
  {
    name: 'a write that was cut off is sent again',
    file: 'src/session/pipeline.ts',
    edits: [
      [
        "if (effect === 'read' || (effect === 'write' && !isSeen)) {",
        "if (effect === 'read' || effect === 'write') {",
      ],
    ],
  },
  {
    name: 'calls that wait go out in the wrong order',
    file: 'src/session/pipeline.ts',
    edits: [
      [
        'for (const call of waiting) this.held.push(call)',
        'for (const call of waiting.reverse()) this.held.push(call)',
      ],
    ],
  },
  {
    name: 'written memory is used again before it has left',
    file: 'src/session/driver.ts',
    edits: [
      [
        'if (this.#transport!.write(parts)) this.#session.handleWritten()',
        'this.#transport!.write(parts)\n    if (parts.length > 0) this.#session.handleWritten()',
      ],
    ],
  },
  {
    name: 'data that was read shares its memory with the next read',
    file: 'src/protocol/bytes.ts',
    edits: [
      [
        'this.bytes.copy(copy, 0, start, start + length)\n    return copy',
        'this.bytes.copy(copy)\n    return this.bytes.subarray(start, start + length)',
      ],
    ],
  },
  {
    name: 'there is no pause between dials',
    file: 'src/session/timing.ts',
    edits: [['return random * Math.min(', 'return 0 * random * Math.min(']],
  },
  {
    name: 'a silent server is never given up',
    file: 'src/session/session.ts',
    edits: [['else connection.pingIfDue(nowMs, timing)', '']],
  },
  {
    name: 'a lease outlives its session',
    file: 'src/recipes/lease.ts',
    edits: [
      [
        'this.#untilMs = sentAtMs + (this.#zk.session.timeout * 2) / 3',
        'this.#untilMs = sentAtMs + this.#zk.session.timeout * 2',
      ],
    ],
  },
  {
    name: 'a contender does not look who is ahead',
    file: 'src/recipes/contender.ts',
    edits: [['return line[index - 1] ?? null', 'return line[index + 1_000_000] ?? null']],
  },
  {
    name: 'an abandoned attempt leaves its znode behind',
    file: 'src/recipes/line.ts',
    edits: [
      [
        'void contender.leave()\n      if (!isPlaceLost(error)) throw error',
        'if (!isPlaceLost(error)) throw error',
      ],
    ],
  },
  {
    name: 'a client that closes does not tell the servers',
    file: 'src/session/session.ts',
    edits: [['this.pipeline.sendLast(new CloseCall(() => this.#finish()))', 'this.#finish()']],
  },
  {
    name: 'the server forgets to tell what a watch has missed',
    file: 'src/testing/watches.ts',
    edits: [
      ['else if (znode.mzxid > request.relativeZxid) tell(EventType.NodeDataChanged, path)', ''],
    ],
  },
  {
    name: 'a notification counts as the last zxid: the rest of its multi is not told after a cut',
    file: 'src/session/server-watches.ts',
    edits: [
      ["  #derivedPath = ''", "  #derivedPath = ''\n  #notifiedZxid = 0n"],
      [
        'const { type, path } = event\n',
        'const { type, path } = event\n    if (zxid !== null) this.#notifiedZxid = zxid\n',
      ],
      [
        'this.wanted.registrations(this.#link.lastZxid(), ',
        'this.wanted.registrations(this.#notifiedZxid || this.#link.lastZxid(), ',
      ],
    ],
  },
  {
    name: 'a watch that nobody wants stays on the server',
    file: 'src/session/server-watches.ts',
    edits: [["return mode === null && surplus.size === 0 ? null : 'removeAll'", 'return null']],
  },
  {
    name: 'what was seen is not told to the next member, which may know less',
    file: 'src/session/session.ts',
    edits: [['lastZxidSeen: isBlind ? 0n : this.pipeline.lastZxid', 'lastZxidSeen: 0n']],
  },
  {
    name: 'a synced read does without the sync',
    file: 'src/client/view.ts',
    edits: [
      [
        'const synced = this.call(operations.sync, () => request, nothing, options)',
        'const synced = Promise.resolve(request)',
      ],
    ],
  },
  {
    name: 'the fate of a write is looked up without a sync',
    file: 'src/client/fate.ts',
    edits: [
      [
        'await view.call(operations.sync, () => request, nothing, budget.options())',
        'void request',
      ],
    ],
  },
  {
    name: 'a lease is renewed without a write',
    file: 'src/recipes/lease.ts',
    edits: [['await this.#contender.prove(signal)', 'await Promise.resolve(signal)']],
  },
  {
    name: 'a member serves clients that have seen more than it has',
    file: 'src/testing/handshake.ts',
    edits: [['if (request.lastZxidSeen > state.lastZxid) return link.close()', '']],
  },
  {
    name: 'a write is done although its session has moved to another member',
    file: 'src/testing/reign.ts',
    edits: [['return owner !== undefined && owner !== origin', 'return false']],
  },
  {
    name: 'a write is answered before a majority has it',
    file: 'src/testing/voters.ts',
    edits: [['[Math.floor(this.#ids.size / 2)]', '[0]']],
  },
]
