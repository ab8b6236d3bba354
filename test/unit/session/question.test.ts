import { describe, expect, test } from 'vitest'
import { Question } from '../../../src/session/question.ts'
import { FakeRuntime } from '../../support/fake-runtime.ts'

async function asking() {
  const runtime = new FakeRuntime()
  const answers: (string | null)[] = []
  const question = new Question(runtime, 'isro', 1_000, (answer) => answers.push(answer))
  question.ask({ host: { name: 'zk1', port: 2181 }, attempt: 0 }, null)
  await runtime.turn()
  return { runtime, answers, question }
}

describe('Question', () => {
  test('is four letters on a connection of its own, and the answer is all that comes', async () => {
    const { runtime, answers } = await asking()
    const { transport } = runtime
    expect(transport.target).toMatchObject({ address: 'address of zk1', port: 2181 })
    transport.link.handleOpened()
    expect(String(transport.written)).toBe('isro')
    transport.link.handleWritten()
    transport.receive(Buffer.from('r'))
    transport.receive(Buffer.from('w'))
    transport.link.handleClosed(null)
    expect(answers).toEqual(['rw'])
    expect(runtime.timersAtMs).toEqual([])
  })

  test('a server that refuses has no answer', async () => {
    const { runtime, answers } = await asking()
    runtime.transport.link.handleClosed(new Error('ECONNREFUSED'))
    expect(answers).toEqual([null])
  })

  test('a server that says nothing has no answer, and is left', async () => {
    const { runtime, answers } = await asking()
    await runtime.advance(1_000)
    expect(answers).toEqual([null])
    expect(runtime.transport.isDestroyed).toBe(true)
  })

  test('a name that cannot be resolved has no answer', async () => {
    const runtime = new FakeRuntime()
    runtime.lookup = () => Promise.reject(new Error('ENOTFOUND'))
    const answers: (string | null)[] = []
    const question = new Question(runtime, 'isro', 1_000, (answer) => answers.push(answer))
    question.ask({ host: { name: 'gone', port: 2181 }, attempt: 0 }, null)
    await runtime.turn()
    expect(answers).toEqual([null])
  })

  test('an answer without an end is cut', async () => {
    const { runtime, answers } = await asking()
    const { transport } = runtime
    for (let i = 0; i < 40; i++) transport.receive(Buffer.alloc(2_000, 'x'))
    expect(answers).toHaveLength(1)
    expect(transport.isDestroyed).toBe(true)
  })

  test('one that nobody waits for any more is never told, and dials nothing', async () => {
    const { runtime, answers, question } = await asking()
    question.cancel()
    runtime.transport.link.handleClosed(null)
    expect(answers).toEqual([])

    const early = new Question(runtime, 'isro', 1_000, (answer) => answers.push(answer))
    early.ask({ host: { name: 'zk2', port: 2181 }, attempt: 0 }, null)
    early.cancel()
    await runtime.turn()
    expect(runtime.transports).toHaveLength(1)
    expect(runtime.timersAtMs).toEqual([])
  })
})
