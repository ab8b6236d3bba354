// Prints "N passed, N failed, N skipped" from the report of vitest's JSON reporter.
// Usage: report-totals.ts REPORT. Ends with 1 if anything failed, or if there is no report.
import { totalsOf } from './test-totals.ts'

const { passed, failed, skipped } = totalsOf(process.argv[2] ?? '')
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
