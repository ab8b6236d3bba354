import { onTestFinished } from 'vitest'
import { type TestMember } from '../../../src/testing/index.ts'
import { RawClient } from './raw-client.ts'

/** A connection that lasts as long as the test. */
export async function connectTo(
  member: TestMember,
  request: Parameters<typeof RawClient.connect>[1] = {},
): Promise<RawClient> {
  const client = await RawClient.connect(member.port, request)
  onTestFinished(() => client.close())
  return client
}
