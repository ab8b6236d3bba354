/** What the report of vitest's JSON reporter comes to. */
import { readFileSync } from 'node:fs'

export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

interface Report {
  readonly success: boolean
  readonly testResults: readonly TestFile[]
}

interface TestFile {
  readonly status: string
  readonly assertionResults: readonly TestResult[]
}

interface TestResult {
  readonly status: string
  readonly fullName: string
}

/** Without a report there is one failure: the run itself. `title` is what counted tests have in theirs. */
export function totalsOf(file: string, title = ''): Totals {
  const report = read(file)
  if (report === null) return { passed: 0, failed: 1, skipped: 0 }
  const results = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ fullName }) => fullName.includes(title))
  const count = (status: string) => results.filter((result) => result.status === status).length
  const [passed, failedTests] = [count('passed'), count('failed')]
  const failed = failedTests + report.testResults.filter(failedAsAWhole).length
  return {
    passed,
    failed: Math.max(failed, report.success ? 0 : 1), // for instance when a set-up failed
    skipped: results.length - passed - failedTests,
  }
}

function read(file: string): Report | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    return null
  }
}

/** A file that could not be loaded has no failed test to count. */
function failedAsAWhole({ status, assertionResults }: TestFile): boolean {
  return status === 'failed' && !assertionResults.some((result) => result.status === 'failed')
}
