/** Hosting must route to the region that is deployed to. */
import { readFile } from 'node:fs/promises'
import { DeploymentError } from './deployment.ts'
import { routedRegion } from './hosting.ts'

/** Throws DeploymentError, with the command that mends it, where `firebase.json` routes elsewhere. */
export async function requireRoutedRegion(region: string): Promise<void> {
  const file = new URL('../../firebase.json', import.meta.url)
  const routed = routedRegion(await readFile(file, 'utf8'))
  if (routed === region) return
  throw new DeploymentError(
    `firebase.json routes to ${routed ?? 'nowhere'}: node infra/run.js generate --region=${region}`,
  )
}
