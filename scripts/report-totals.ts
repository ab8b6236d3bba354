// Prints "N passed, N failed, N skipped" from the report of vitest's JSON reporter.
// Usage: report-totals.ts REPORT. Ends with 1 if anything failed, or if there is no report.
import { readFileSync } from 'node:fs'

interface Report {
  readonly success: boolean
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly TestFile[]
}

interface TestFile {
  readonly status: string
  readonly assertionResults: readonly { readonly status: string }[]
}

const totals = countFrom(process.argv[2] ?? '')
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0

function countFrom(file: string): { passed: number; failed: number; skipped: number } {
  const report = read(file)
  if (report === null) return { passed: 0, failed: 1, skipped: 0 } // the run itself failed
  const failed = report.numFailedTests + report.testResults.filter(failedAsAWhole).length
  return {
    passed: report.numPassedTests,
    failed: Math.max(failed, report.success ? 0 : 1), // for instance when a set-up failed
    skipped: report.numPendingTests + report.numTodoTests,
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
