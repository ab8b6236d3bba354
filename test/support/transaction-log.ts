import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Codec, operations, Reader, records } from '../../src/protocol/index.ts'

/** Something that a server has written down as done. */
export interface LoggedTransaction {
  readonly zxid: bigint
  readonly sessionId: bigint
  /** The xid of the request. */
  readonly cxid: number
  /** The opcode; `-1` for a request that was refused, `-10` and `-11` for sessions. */
  readonly type: number
  /** Why it was refused, else 0. */
  readonly err: number
  /** What it did to the tree: several for a multi, none for what was refused. */
  readonly changes: readonly Change[]
}

export interface Change {
  readonly type: 'create' | 'delete' | 'setData' | 'setACL'
  readonly path: string
  readonly data: string | null
}

/**
 * Reads the transaction logs of a server, running or not: what it really applied, in its order. It
 * ends before a transaction that is being written.
 *
 * The format, read in `FileTxnLog`: a FileHeader, then for each transaction an Adler-32 as a long,
 * the transaction as a buffer, and the byte `B`; then zeros, since the file is grown ahead of its use.
 */
export async function readTransactionLog(dataDir: string): Promise<LoggedTransaction[]> {
  const folder = join(dataDir, 'version-2')
  const names = (await readdir(folder)).filter((name) => name.startsWith('log.'))
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))))
  return files.flatMap(transactionsIn).sort((a, b) => (a.zxid < b.zxid ? -1 : 1))
}

function transactionsIn(file: Buffer): LoggedTransaction[] {
  const transactions: LoggedTransaction[] = []
  const reader = new Reader().reset(file, 0, file.length)
  if (file.length === 0 || records.FileHeader.read(reader).magic !== fileMagic) return []
  while (reader.remaining >= entryBytesMin) {
    const checksum = reader.long()
    const length = reader.int()
    if (length === 0 || reader.remaining < length + 1) break
    const start = reader.take(length)
    if (file[reader.take(1)] !== endOfEntry) break
    const bytes = file.subarray(start, start + length)
    if (BigInt(adler32(bytes)) !== checksum) throw new Error(`a broken checksum at byte ${start}`)
    transactions.push(transactionOf(bytes))
  }
  return transactions
}

const fileMagic = 0x5a4b_4c47 // ZKLG
const endOfEntry = 0x42 // B
const entryBytesMin = 8 + 4 + 1

function transactionOf(bytes: Buffer): LoggedTransaction {
  const reader = new Reader().reset(bytes, 0, bytes.length)
  const { zxid, clientId: sessionId, cxid, type } = records.TxnHeader.read(reader)
  const err = type === refused ? records.ErrorTxn.read(reader).err : 0
  const changes = changesOf(type, reader)
  return { zxid, sessionId, cxid, type, err, changes } // a digest of the tree may follow
}

const refused = -1

function changesOf(type: number, reader: Reader): Change[] {
  if (type === operations.multi.code) {
    const { txns } = records.MultiTxn.read(reader)
    // The parts before the one that was refused stand there as if they had been done.
    return txns.some((part) => part.type === refused) ? [] : txns.flatMap(changesOfPart)
  }
  const known = changeRecords.get(type)
  if (known === undefined) return []
  const { path, data = null } = known.record.read(reader)
  return [{ type: known.type, path, data: data === null ? null : Buffer.from(data).toString() }]
}

function changesOfPart({ type, data }: records.Txn): Change[] {
  const bytes = Buffer.from(data ?? [])
  return changesOf(type, new Reader().reset(bytes, 0, bytes.length))
}

interface ChangeRecord {
  readonly type: Change['type']
  readonly record: Codec<{ readonly path: string; readonly data?: Uint8Array | null }>
}

/** No client sends it: a leader does, for containers that are empty. */
const deleteContainer = 20

const changeRecords: ReadonlyMap<number, ChangeRecord> = new Map<number, ChangeRecord>([
  [operations.create.code, { type: 'create', record: records.CreateTxn }],
  [operations.create2.code, { type: 'create', record: records.CreateTxn }],
  [operations.createContainer.code, { type: 'create', record: records.CreateContainerTxn }],
  [operations.createTTL.code, { type: 'create', record: records.CreateTTLTxn }],
  [operations.delete.code, { type: 'delete', record: records.DeleteTxn }],
  [deleteContainer, { type: 'delete', record: records.DeleteTxn }],
  [operations.setData.code, { type: 'setData', record: records.SetDataTxn }],
  [operations.setACL.code, { type: 'setACL', record: records.SetACLTxn }],
])

/** Node has no Adler-32 of its own outside zlib streams. */
function adler32(bytes: Uint8Array): number {
  let a = 1
  let b = 0
  for (const byte of bytes) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  return b * 65_536 + a
}
