import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A server in its own process, to be killed at any moment. */
export type Spawned = {
  readonly host: string
  readonly port: number
  readonly child: ChildProcess
  /** `kill -9`, and wait until it is gone. */
  kill(): Promise<void>
}

const SCRIPT = fileURLToPath(new URL('./firestore-child.ts', import.meta.url))
/** Taking the types out of the sources is two thirds of a first start; Node keeps what comes of it here. */
const COMPILED = fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url))

/**
 * Starts a server on the directory; rejects with what it printed when it does not come up.
 * `compiled` is where what Node compiled is kept between starts.
 */
export async function spawnFirestore(
  dataDir: string,
  port = 0,
  compiled = COMPILED,
): Promise<Spawned> {
  const child = spawn(process.execPath, [SCRIPT, dataDir, String(port)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_COMPILE_CACHE: compiled },
  })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString('utf8')
  })
  const exited = once(child, 'exit')
  const started = await Promise.race([once(child.stdout, 'data'), exited.then(() => undefined)])
  if (started === undefined) throw new Error(complaint.trim())
  const own = Number(String(started[0]).trim())
  return {
    host: `127.0.0.1:${own}`,
    port: own,
    child,
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}
