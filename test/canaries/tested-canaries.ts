/** Bugs to plant where the simulated runs do not look: each of them makes a test fail that is named here. */
import { type Canary } from './canaries.ts'

export interface TestedCanary extends Canary {
  /** The test that must fail: its file, and its title as it stands there. */
  readonly foundBy: readonly [file: string, title: string]
}

export const testedCanaries: readonly TestedCanary[] = [
  {
    name: 'a SASL server need not prove that it knows the password',
    file: 'src/protocol/digest-md5.ts',
    edits: [["if (isSame(readDirectives(last).get('rspauth') ?? '', rspauth)) return", 'return']],
    foundBy: ['test/unit/client/digest-md5.test.ts', 'refuses a server that %s'],
  },
  {
    name: 'a TLS server is not told by which name it was dialled',
    file: 'src/node/dial-tls.ts',
    edits: [["(isIP(host) === 0 ? host : '')", "''"]],
    foundBy: [
      'test/conformance/tls-options.test.ts',
      'R90: names the host as it was configured, whatever address it has',
    ],
  },
  {
    name: 'an environment variable switches the verification of certificates off',
    file: 'src/node/dial-tls.ts',
    edits: [
      [
        'rejectUnauthorized: given.rejectUnauthorized !== false',
        "rejectUnauthorized: process.env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0'",
      ],
    ],
    foundBy: [
      'test/conformance/tls.test.ts',
      'R91: an environment variable does not switch verification off',
    ],
  },
  {
    name: 'digest sends passwords in clear to any machine',
    file: 'src/client/options.ts',
    edits: [["scheme !== 'digest' || isAllowed", "scheme === 'digest' || isAllowed"]],
    foundBy: ['test/conformance/acl.test.ts', 'a password is not sent in clear to another machine'],
  },
  {
    name: 'identities are told behind the watches',
    file: 'src/session/session.ts',
    edits: [
      [
        '[...this.credentials.map((credential) => credential.call()), ...registrations]',
        '[...registrations, ...this.credentials.map((credential) => credential.call())]',
      ],
    ],
    foundBy: [
      'test/unit/session/auth.test.ts',
      'R14: goes out first on every connection: before watches, before requests',
    ],
  },
  {
    name: 'the zxid of a notification counts as seen',
    file: 'src/session/connection.ts',
    edits: [
      [
        'if (xid === Xid.notification) {\n',
        'if (xid === Xid.notification) {\n      if (zxid > this.#pipeline.lastZxid) this.#pipeline.lastZxid = zxid\n',
      ],
    ],
    foundBy: [
      'test/unit/session/replies.test.ts',
      'is not moved by pings, auth replies and notifications',
    ],
  },
  {
    name: 'the rest of a cut handshake is read as the beginning of the next',
    file: 'src/session/connection.ts',
    edits: [
      ['this.#splitter = new FrameSplitter(handshakeBytesMax)\n    const writer', 'const writer'],
    ],
    foundBy: ['test/unit/session/cut-offsets.test.ts', 'at every byte of the answer'],
  },
  {
    name: 'a frame over the limit is kept',
    file: 'src/protocol/framing.ts',
    edits: [
      [
        'this.length <= this.frameBytesMax ? this.length : Math.min(this.length, headerBytes)',
        'this.length',
      ],
    ],
    foundBy: [
      'test/property/framing.test.ts',
      'does not make room for a frame over the limit, whatever it announces',
    ],
  },
  {
    name: 'a negative length is believed',
    file: 'src/protocol/bytes.ts',
    edits: [['if (length < -1) throw new ProtocolError(`a length is negative: ${length}`)\n', '']],
    foundBy: ['test/unit/session/hostile-bytes.test.ts', 'A13: a path of %i bytes where 1 is sent'],
  },
  {
    name: 'the chroot stays in the results of a transaction',
    file: 'src/client/transaction.ts',
    edits: [['return { path: stripChroot(chroot, path), stat }', 'return { path, stat }']],
    foundBy: [
      'test/conformance/chroot.test.ts',
      'maps the paths of a transaction, its results and its error',
    ],
  },
  {
    name: 'ancestors are open to everybody, whatever the znode',
    file: 'src/client/ancestors.ts',
    edits: [
      [
        'const request = { path, data: empty, acl, flags',
        "const open = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }, ...acl].slice(0, 1)\n  const request = { path, data: empty, acl: open, flags",
      ],
    ],
    foundBy: ['test/conformance/parents.test.ts', 'gives ancestors the ACL of the znode'],
  },
  {
    name: 'text of a server can forge lines of a log',
    file: 'src/protocol/errors.ts',
    edits: [['return printable(\n', 'return String(\n']],
    foundBy: [
      'test/unit/protocol/errors.test.ts',
      'prints %s of a path in a form that cannot forge a line',
    ],
  },
  {
    name: 'the test server tells of children before the znode itself',
    file: 'src/testing/watches.ts',
    edits: [
      [
        'const told = this.#data.fire({ type, path, zxid, acl }, nobody)\n',
        'if (parent !== null) {\n      const first = { type: EventType.NodeChildrenChanged, zxid, ...parent }\n      this.#child.fire(first, nobody)\n    }\n    const told = this.#data.fire({ type, path, zxid, acl }, nobody)\n',
      ],
    ],
    foundBy: [
      'test/unit/testing/watches.test.ts',
      'watches: the event comes before the reply of the write that caused it',
    ],
  },
  {
    name: 'the test server tells watches of children of data',
    file: 'src/testing/watches.ts',
    edits: [
      [
        'if (type === EventType.NodeDeleted) this.#child.fire',
        'if (type !== EventType.NodeCreated) this.#child.fire',
      ],
    ],
    foundBy: [
      'test/unit/testing/watches.test.ts',
      'watches: getChildren hears of children, not of data',
    ],
  },
  {
    name: 'the sequence numbers of the test server have no sign',
    file: 'src/testing/tree.ts',
    edits: [['(childCreates + 1) | 0', '(childCreates + 1) >>> 0']],
    foundBy: [
      'test/unit/testing/sequences.test.ts',
      'behind 2^31-1 comes a sign, as in the servers’ counter',
    ],
  },
  {
    name: 'the test server keeps what came before the failure of a multi',
    file: 'src/testing/writes.ts',
    edits: [['context.tree.rollback()', 'context.tree.commit()']],
    foundBy: [
      'test/unit/testing/multi.test.ts',
      'multi: failure undoes everything and says which operation it was',
    ],
  },
  {
    name: 'the test server expires sessions too early',
    file: 'src/testing/expiry-queue.ts',
    edits: [['/ tickTimeMs + 1) * tickTimeMs', '/ tickTimeMs) * tickTimeMs']],
    foundBy: [
      'test/unit/testing/sessions.test.ts',
      'sessions: one expires between its timeout and a tick later, unless heard of',
    ],
  },
  {
    name: 'who has written down most leads, whomever it has followed',
    file: 'src/testing/replica.ts',
    edits: [
      [
        'return this.epoch === epoch ? this.loggedZxid > loggedZxid : this.epoch > epoch',
        'return this.loggedZxid > loggedZxid',
      ],
    ],
    foundBy: [
      'test/unit/testing/ensemble.test.ts',
      'what a leader has written down is lost once another has led, even without a write',
    ],
  },
  {
    name: 'members that look for a leader serve whoever comes',
    file: 'src/testing/keeper.ts',
    edits: [['if (!this.state.isServing) return link.close()', '']],
    foundBy: [
      'test/unit/testing/elections.test.ts',
      'members without a leader close their connections, and answer words alone',
    ],
  },
  {
    name: 'a reconfig happens without those who will vote',
    file: 'src/testing/reign.ts',
    edits: [['if (nextZxid < this.#reconfig.zxid) return this.#reconfig.zxid - 1n', 'return zxid']],
    foundBy: [
      'test/integration/test-ensemble-reconfig.test.ts',
      'a reconfig happens when a majority of those who will vote has it, too',
    ],
  },
  {
    name: 'ephemerals outlive their session on the test server',
    file: 'src/testing/tree.ts',
    edits: [
      [
        'return [...(this.#ephemerals.get(sessionId) ?? [])]',
        'return [...(this.#ephemerals.get(sessionId) ?? [])].slice(1)',
      ],
    ],
    foundBy: [
      'test/unit/testing/sessions.test.ts',
      'sessions: closing one deletes its znodes, answers, and closes the connection',
    ],
  },
  {
    name: 'the test server takes any answer for a proof of the password',
    file: 'src/testing/sasl.ts',
    edits: [
      ["if (!digestMd5.isSame(said.get('response') ?? '', proofs.response)) return null\n", ''],
    ],
    foundBy: [
      'test/conformance/sasl.test.ts',
      'L8: a wrong password ends connect() at once, with its reason',
    ],
  },
  {
    name: 'a gap is told once, though what was read in it has failed',
    file: 'src/session/pipeline.ts',
    edits: [['this.watches.forgetGaps()', '']],
    foundBy: [
      'test/unit/session/watching.test.ts',
      'is another gap once the session was lost: what was read in the first one has failed',
    ],
  },
]
