/**
 * The least that can receive a file over HTTP and have it on the disk: no names, no rows, no
 * checksums. What the embedded Cloud Storage is measured against: `node plain-receiver.ts DIRECTORY`.
 */
import { mkdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'

const [directory = ''] = process.argv.slice(2)
mkdirSync(directory, { recursive: true })
let files = 0

const server = createServer(async (req, res) => {
  const handle = await open(join(directory, `${files++}`), 'w')
  for await (const chunk of req) await handle.write(chunk)
  await handle.sync()
  await handle.close()
  res.end('{}')
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  process.stdout.write(`listening at http://127.0.0.1:${port}, plain\n`)
})
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
