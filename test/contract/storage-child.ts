/**
 * The embedded Cloud Storage as a process of its own, for tests that kill it or look at its memory:
 * `node test/contract/storage-child.ts DATA_DIR`. Prints its address, and at the end its peak memory.
 */
import { startStorage } from '../../infra/local/storage/server.ts'

const [dataDir = '', port = '0'] = process.argv.slice(2)

try {
  const server = await startStorage({ dataDir, port: Number(port) })
  process.stdout.write(`listening at ${server.url}, ${server.swept} left-over files deleted\n`)
  process.once('SIGTERM', async () => {
    await server.close()
    process.stdout.write(`peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`)
  })
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
