import type { TestProject } from 'vitest/node'
import '../support/shared-zookeeper.ts' // says what is provided

export default function setup(project: TestProject): void {
  project.provide('zookeeper', {
    available: false,
    reason: 'planted bugs are looked for without it',
  })
}
