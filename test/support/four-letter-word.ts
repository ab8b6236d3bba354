import { connect } from 'node:net'

const answerWithinMs = 2_000

/** Sends one of ZooKeeper's administrative words (`srvr`, `cons`, `wchp`, …) and reads the answer. */
export function fourLetterWord(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let answer = ''
    socket.setEncoding('utf8')
    socket.setTimeout(answerWithinMs, () => {
      socket.destroy(new Error(`no answer to "${word}" within ${answerWithinMs} ms`))
    })
    socket.on('connect', () => socket.write(word)) // no FIN: some versions drop the answer on it
    socket.on('data', (text: string) => (answer += text))
    socket.on('error', reject)
    socket.on('close', () => {
      resolve(answer)
    })
  })
}
