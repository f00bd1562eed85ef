/** The least that an upload can be: the request's bytes into the bucket by the SDK's stream, without a check. */
import { createServer } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { Storage } from '@google-cloud/storage'

const bucket = new Storage().bucket(process.env['PHOTO_BUCKET'] ?? '')
let objects = 0

const server = createServer(async (request, response) => {
  objects += 1
  const file = bucket.file(`pipe/${process.pid}/${objects}`)
  const preconditionOpts = { ifGenerationMatch: 0 }
  const sink = file.createWriteStream({
    validation: false,
    contentType: 'image/jpeg',
    preconditionOpts,
  })
  try {
    await pipeline(request, sink)
    response.writeHead(201).end()
  } catch (error) {
    response.writeHead(500).end(String(error))
  }
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  process.stdout.write(`piping at http://127.0.0.1:${port}\n`)
})
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
