/** Bare argon2 with the parameters of a login, as many at once as there are lines to answer: `GET /` is one hash. */
import { createServer } from 'node:http'
import { openPasswordHasher } from '../../shared/crypto/password-hasher.ts'

const hasher = openPasswordHasher()
const stored = await hasher.hash('correct horse battery')

const server = createServer(async (_request, response) => {
  const { matches } = await hasher.verify(stored, 'correct horse battery')
  response.end(String(matches))
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  process.stdout.write(`hashing at http://127.0.0.1:${port}\n`)
})
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
