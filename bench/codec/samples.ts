import { CreateFlags, type MultiPart, operations, records } from 'zoowire/protocol'

/** What is encoded and decoded: records one behind the other, with the values that clients see. */
export interface Sample {
  readonly name: string
  readonly records: readonly (readonly [name: string, value: unknown])[]
  /** Those of a multi, which the client encodes as one. */
  readonly parts?: readonly MultiPart[]
}

const path = '/services/users/instance-0000000042'
const data = Buffer.alloc(100, 'x')
const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]
const zxid = 0x5_0000_1234n
const ctime = 1_763_000_000_000
const stat = new records.Stat(
  zxid,
  zxid,
  ctime,
  ctime,
  3,
  5,
  0,
  0x1000_0000_0000_002an,
  100,
  7,
  zxid,
)

const names = (count: number, prefix: string) => {
  return Array.from({ length: count }, (_, i) => prefix + String(i).padStart(10, '0'))
}

const create = { path, data, acl, flags: CreateFlags.persistent }
const parts: readonly MultiPart[] = [
  { type: operations.check.code, request: { path: '/services/users', version: 3 } },
  { type: operations.create2.code, request: create },
  { type: operations.setData.code, request: { path, data, version: 4 } },
  { type: operations.delete.code, request: { path, version: 5 } },
]
const partRecords = [
  'CheckVersionRequest',
  'CreateRequest',
  'SetDataRequest',
  'DeleteRequest',
] as const

const one = (record: string, value: unknown, title = record): Sample => {
  return { name: title, records: [[record, value]] }
}

export const samples: readonly Sample[] = [
  one('ReplyHeader', { xid: 42, zxid, err: 0 }),
  one('Stat', stat),
  one('GetDataRequest', { path, watch: false }),
  one('GetDataResponse', { data, stat }, 'GetDataResponse, 100 bytes'),
  one('CreateRequest', create, 'CreateRequest, 100 bytes'),
  one(
    'GetChildren2Response',
    { children: names(100, 'instance-'), stat },
    'GetChildren2Response, 100 names',
  ),
  one(
    'SetWatches2',
    {
      relativeZxid: zxid,
      dataWatches: names(40, '/services/users/instance-'),
      existWatches: names(40, '/services/jobs/instance-'),
      childWatches: names(20, '/services/kind-'),
      persistentWatches: [],
      persistentRecursiveWatches: [],
    },
    'SetWatches2, 100 paths',
  ),
  {
    name: 'multi of 4',
    parts,
    records: [
      ...parts.flatMap(({ type, request }, i): [string, unknown][] => [
        ['MultiHeader', { type, done: false, err: -1 }],
        [partRecords[i]!, request],
      ]),
      ['MultiHeader', { type: -1, done: true, err: -1 }],
    ],
  },
]
