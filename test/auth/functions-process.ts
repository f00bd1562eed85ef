/** The functions on one free port; its first line is their base URL. */
import { listenForAll } from '../../shared/http/serve.ts'

await Promise.all([
  import('../../functions/register.ts'),
  import('../../functions/login.ts'),
  import('../../functions/refresh.ts'),
  import('../../functions/logout-access.ts'),
  import('../../functions/logout-refresh.ts'),
  import('../../functions/sessions.ts'),
  import('../../functions/account.ts'),
  import('../../functions/users.ts'),
  import('../../functions/upload.ts'),
  import('../../functions/uploads.ts'),
  import('../../functions/photos.ts'),
  import('../../functions/jwks.ts'),
])
const { port } = await listenForAll({ host: '127.0.0.1', port: 0 })
process.stdout.write(`READY http://127.0.0.1:${port}\n`)
