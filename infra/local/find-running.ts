import { connect } from 'node:net'
import { type Running, readRunning } from './running.ts'

async function isListening(address: string | undefined): Promise<boolean> {
  const [, host, port] = /^(.+):(\d+)$/.exec(address ?? '') ?? []
  if (host === undefined) return false
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host, port: Number(port), timeout: 1_000 })
  socket.once('connect', () => resolve(true))
  socket.once('timeout', () => resolve(false))
  socket.once('error', () => resolve(false))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

/** What runs on the data directory and answers; its note may be left from one that was killed. */
export async function findRunning(dataDir: string): Promise<Running | undefined> {
  const running = await readRunning(dataDir)
  const answers = await isListening(running?.environment['FIRESTORE_EMULATOR_HOST'])
  return answers ? running : undefined
}
