/** A Firestore server in a process of its own: `node firestore-child.ts DATA_DIRECTORY [PORT]` prints its port and ends with its parent. */
import { flushCompileCache } from 'node:module'
import { startFirestore } from '../../infra/local/firestore/server.ts'

const [, , dataDir = '', port = '0'] = process.argv
try {
  const server = await startFirestore({ dataDir, port: Number(port) })
  process.stdout.write(`${server.port}\n`)
  // Node does so at its end, but this process is killed.
  setImmediate(flushCompileCache)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
process.stdin.on('end', () => process.exit(0))
process.stdin.resume()
