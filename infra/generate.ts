/** `npm run check -- --write`: every committed file that is made from others; `--check` compares. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { apiTexts } from './api/texts.ts'
import { parseCommandLine } from './command-line.ts'
import { readEndpoints } from './endpoints.ts'
import { FUNCTIONS } from './manifest.ts'
import { manifestProblems, routeProblems } from './manifest-rules.ts'
import { monitoringFiles } from './provision/monitoring-files.ts'
import { storageFiles } from './provision/storage-files.ts'
import { REGIONS } from './release/deployment.ts'
import { firebaseConfig, routedRegion } from './release/hosting.ts'
import { cloudBuild, deployWorkflow, testWorkflow } from './release/pipelines.ts'

const HELP = `node infra/run.js generate [--check] [--region=R]
Writes the files that are made from code: API description, Postman collection, settings table, firebase.json,
cloudbuild.yaml, workflows, monitoring.
  --check   writes nothing; names what differs and ends with 1
  --region  the region that Hosting routes to, kept in firebase.json`

const DATABASE = 'wowmedia'
const FIRST_REGION = 'europe-west1'

async function textOf(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '')
}

/** Path in the repository -> the text that must stand there. */
export async function generatedFiles(region: string): Promise<ReadonlyMap<string, string>> {
  const endpoints = await readEndpoints()
  const problems = [...manifestProblems(FUNCTIONS), ...routeProblems(FUNCTIONS, endpoints)]
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return new Map([
    ...(await apiTexts(endpoints)),
    ...monitoringFiles(),
    ...storageFiles(),
    ['firebase.json', firebaseConfig(FUNCTIONS, endpoints, { region, database: DATABASE })],
    ['cloudbuild.yaml', cloudBuild(region)],
    ['.github/workflows/test.yml', testWorkflow()],
    ['.github/workflows/deploy.yml', deployWorkflow()],
  ])
}

/** Line ends as the repository has them, whatever the checkout made of them. */
function sameText(a: string, b: string): boolean {
  return a.replaceAll('\r\n', '\n') === b.replaceAll('\r\n', '\n')
}

export async function main(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args, { values: ['region'], flags: ['check'], help: HELP })
  if (line.done !== undefined) return line.done
  const region = line.values.region ?? routedRegion(await textOf('firebase.json')) ?? FIRST_REGION
  if (!REGIONS.some((known) => known === region)) {
    console.error(`--region must be one of ${REGIONS.join(', ')}`)
    return 1
  }
  let differing = 0
  for (const [path, text] of await generatedFiles(region)) {
    if (sameText(await textOf(path), text)) continue
    differing += 1
    if (line.flags.has('check')) {
      console.error(`${path} differs from what it is made from: npm run check -- --write`)
      continue
    }
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
    console.log(`wrote ${path}`)
  }
  return line.flags.has('check') && differing > 0 ? 1 : 0
}
