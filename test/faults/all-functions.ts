/** A child process: every function on one port, against whatever servers its environment names. */
import { loadFunctions } from '../../infra/local/functions.ts'
import { listenForAll } from '../../shared/http/serve.ts'

await loadFunctions()
const server = await listenForAll({ host: '127.0.0.1', port: 0 })
process.stdout.write(`listening at http://127.0.0.1:${server.port}\n`)
const stop = async () => {
  await server.close()
  process.exit(0)
}
process.once('SIGTERM', () => void stop())
