/**
 * Writes what each entry point of the package offers to `docs/api/`, from the declarations in `dist/`,
 * so that a change of the public interface is seen in the diff that makes it.
 *
 * `npm run api` writes; `report-api.ts --check` ends with 1 if something else is written there.
 */
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
} from '@microsoft/api-extractor'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
const folder = join(root, 'docs/api')

const entries = [
  { title: 'zoowire', file: 'index' },
  { title: 'zoowire/recipes', file: 'recipes/index' },
  { title: 'zoowire/testing', file: 'testing/index' },
  { title: 'zoowire/protocol', file: 'protocol/index' },
] as const

type Entry = (typeof entries)[number]

interface Extract {
  readonly entry: Entry
  /** The report as the extractor writes it. */
  readonly text: string
  /** What signatures mention and this entry does not export. */
  readonly mentioned: ReadonlySet<string>
}

const checks = process.argv.includes('--check')
const stale = report().filter(({ page, text }) => text !== readIfThere(page))
mkdirSync(folder, { recursive: true })
for (const { page, text } of stale) {
  if (checks) showDifference(page, text)
  else writeFileSync(page, text)
}
if (checks && stale.length > 0) {
  console.error('The public interface is not what docs/api says. If that is meant: npm run api')
  process.exitCode = 1
}

/** The pages as they should be. */
function report(): { page: string; text: string }[] {
  const temporary = mkdtempSync(join(tmpdir(), 'zoowire-api-'))
  try {
    const extracts = extractAll(temporary)
    const exported = new Set(extracts.flatMap(({ text }) => exportsOf(text)))
    return extracts.map((extract) => ({
      page: join(folder, `${extract.entry.title.replace('zoowire/', '')}.api.md`),
      text: finish(extract, exported),
    }))
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

/** One compilation for all entries: reading the declarations is what takes the time. */
function extractAll(temporary: string): Extract[] {
  const configs = entries.map((entry) => configure(entry, temporary))
  const additionalEntryPoints = configs.map((config) => config.mainEntryPointFilePath)
  const compilerState = CompilerState.create(configs[0]!, { additionalEntryPoints })
  return entries.map((entry, index) => extract(entry, configs[index]!, compilerState))
}

function extract(entry: Entry, config: ExtractorConfig, compilerState: CompilerState): Extract {
  const mentioned = new Set<string>()
  const messageCallback = (message: ExtractorMessage) => {
    if (message.messageId === 'ae-forgotten-export') mentioned.add(symbolOf(message.text))
    message.handled = true
  }
  Extractor.invoke(config, { compilerState, localBuild: true, messageCallback })
  const { fileName } = config.reportConfigs[0]!
  return { entry, text: readFileSync(join(config.reportTempFolder, fileName), 'utf8'), mentioned }
}

function configure({ file }: Entry, temporary: string): ExtractorConfig {
  const none = { logLevel: ExtractorLogLevel.None }
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, 'dist', `${file}.d.ts`),
      compiler: {
        overrideTsconfig: { extends: join(root, 'tsconfig.json'), include: ['dist/**/*.d.ts'] },
      },
      apiReport: {
        enabled: true,
        reportFileName: file.replace('/', '-'),
        reportFolder: temporary,
        reportTempFolder: join(temporary, 'new'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        extractorMessageReporting: {
          default: none,
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning },
        },
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        tsdocMessageReporting: { default: none },
      },
    },
  })
}

/** From `The symbol "Codec_2" needs to be exported by …`; the number tells two of a name apart. */
function symbolOf(message: string): string {
  return /"(\w+?)(_\d+)?"/.exec(message)?.[1] ?? message
}

/** What an entry exports: a report says `export class Lock {`, and of namespaces `declare`. */
function exportsOf(report: string): string[] {
  const declaration = /^(?:export|declare) (?:abstract )?\w+ (\w+)/gm
  return [...report.matchAll(declaration)].map((match) => match[1]!)
}

/** The extractor knows packages with one entry: here each has a title, and may use the others. */
function finish({ entry, text, mentioned }: Extract, exported: ReadonlySet<string>): string {
  const missing = [...mentioned].filter((name) => !exported.has(name)).sort()
  return text
    .replace(/^(## API Report File for ).*$/m, `$1"${entry.title}"`)
    .replace(/\n\/\/ \(No @packageDocumentation comment for this package\)\n/, '')
    .replace(/\n*$/, '\n')
    .concat(missing.length > 0 ? `\nMentioned, but exported nowhere: ${missing.join(', ')}\n` : '')
}

function readIfThere(page: string): string {
  return existsSync(page) ? readFileSync(page, 'utf8') : ''
}

/** Lines that come and go; `npm run api` and a real diff show where. */
function showDifference(page: string, text: string): void {
  const [before, after] = [readIfThere(page), text].map((version) => version.split('\n'))
  console.error(page.slice(root.length))
  for (const line of before!.filter((one) => !after!.includes(one))) console.error(`- ${line}`)
  for (const line of after!.filter((one) => !before!.includes(one))) console.error(`+ ${line}`)
}
