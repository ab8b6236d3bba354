/** Answers to four-letter words without what is each server's own: for the comparison of two servers. */

/** All but `mntr` and those that change something. */
export const comparedWords = [
  'ruok',
  'isro',
  'gtmk',
  'hash',
  'srvr',
  'stat',
  'cons',
  'conf',
  'envi',
  'dirs',
  'dump',
  'wchs',
  'wchc',
  'wchp',
] as const

/**
 * Lines in which ids of sessions are names, and other numbers of its own are `#`. Lines that go together
 * are one, and those that stand in a hash set are sorted.
 */
export function shapeOf(text: string, sessions: readonly bigint[]): string[] {
  let named = text
  for (const [i, id] of sessions.entries()) {
    named = named.replaceAll(`0x${BigInt.asUintN(64, id).toString(16)}`, `session ${i}`)
  }
  for (const [own, mask] of masks) named = named.replaceAll(own, mask)
  return grouped(named.split('\n'))
}

const masks: readonly (readonly [RegExp, string])[] = [
  [/^(Zookeeper version: |zookeeper\.version=)(\d+\.\d+\.\d+)-.+, built on .*\d.*$/gm, '$1$2-#'],
  [/^(Latency .*: )\d+\/\d+\/\d+$/gm, '$1#'],
  [/^(Latency .*: )\d+\/\d+\.\d+\/\d+$/gm, '$1# with a fraction'],
  [/^(Received: |Sent: |\w+dir_size: |data\w*Size=)\d+$/gm, '$1#'],
  [/127\.0\.0\.1:\d+/g, 'address'],
  [/(clientPort|\w+Limit|electionPort|quorumPort)=\d+/g, '$1=#'],
  [/(data\w*Dir|host\.name|java[.\w]+|os[.\w]+|user[.\w]+)=.*/g, '$1=#'],
  [/(est|lresp|llat|minlat|avglat|maxlat)=\d+/g, '$1=#'],
  [/address:\d+:participant/g, 'peer'],
  [/^(Zxid: 0x1|version=)[\da-f]+$/gm, '$1#'], // members' zxids begin with an epoch
  [/^(Proposal sizes last\/min\/max: )-?\d+\/-?\d+\/-?\d+$/gm, '$1#'],
  [/ Sets \(\d+\)/g, ' Sets (#)'],
  // How many of them there are depends on the moment.
  [/^\d+ expire at \w{3} \w{3} \d\d \d\d:\d\d:\d\d \w+ \d{4}:\n/gm, ''],
]

/** An indented line goes with the one above it. */
function grouped(lines: readonly string[]): string[] {
  const groups: string[][] = []
  for (const line of lines) {
    if (line.startsWith('\t') && groups.length > 0) groups.at(-1)!.push(line)
    else groups.push([line])
  }
  return sortedRuns(groups.map(([first, ...rest]) => [first, ...rest.sort()].join('\n')))
}

/** Clients' lines begin with a blank; groups of sessions and paths stand beside each other. */
function sortedRuns(groups: readonly string[]): string[] {
  const isLoose = (line: string) => /^( \/|session|\/)/.test(line)
  const sorted: string[] = []
  let run: string[] = []
  for (const group of [...groups, null]) {
    if (group !== null && isLoose(group)) run.push(group)
    else {
      sorted.push(...run.sort(), ...(group === null ? [] : [group]))
      run = []
    }
  }
  return sorted
}

/** The figures of `mntr`, by their names. */
export function figuresIn(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').filter((line) => line !== '')
  return new Map(lines.map((line) => line.split('\t') as [string, string]))
}
