/** `cloudbuild.yaml` and the GitHub workflows: test, build, candidate, smoke, promote (deploy.md 5.1). Pure. */
import { FUNCTIONS } from '../manifest.ts'
import { type Yaml, yamlText } from './yaml.ts'

const MADE = 'Made by npm run check -- --write; do not edit.'

/** An expression that GitHub fills in. */
const github = (text: string) => ['$', '{{ ', text, ' }}'].join('')

const NODE_IMAGE = 'node:24.21.0-bookworm'
/** Debian, so that the Node of node_modules runs in it. */
const GCLOUD_IMAGE = 'gcr.io/google.com/cloudsdktool/google-cloud-cli:528.0.0-slim'
const OWN_NODE = 'node_modules/.bin/node'

const NAMES = FUNCTIONS.map(({ name }) => name).join(',')

function buildStep(id: string, image: string, script: string, waitFor: readonly string[]): Yaml {
  return { id, name: image, entrypoint: 'bash', args: ['-ceu', script], waitFor }
}

/** A trigger with approval keeps the last step for a person; the state of the release stays in the workspace. */
export function cloudBuild(region: string): string {
  const place = '--project=$PROJECT_ID --region=$_REGION'
  const npm = (id: string, command: string, ...waitFor: readonly string[]) =>
    buildStep(id, NODE_IMAGE, command, waitFor)
  const tool = (id: string, command: string, ...waitFor: readonly string[]) =>
    buildStep(id, GCLOUD_IMAGE, `${OWN_NODE} infra/run.js ${command} ${place}`, waitFor)
  return yamlText(MADE, {
    steps: [
      npm('install', 'npm ci --ignore-scripts', '-'),
      npm('check', 'npm run check', 'install'),
      npm('test', 'npm test', 'install'),
      npm('audit', 'node infra/run.js audit', 'install'),
      npm('bundle', 'npm run build', 'install'),
      tool(
        'candidate',
        `deploy --only=${NAMES} --built --no-promote --no-hosting`,
        ...['check', 'test', 'audit', 'bundle'],
      ),
      npm(
        'hosting',
        'npx --yes firebase-tools@15.34.2 deploy --project=$PROJECT_ID --only=firestore:rules,hosting --non-interactive',
        'candidate',
      ),
      tool('promote', 'promote', 'hosting'),
    ],
    serviceAccount:
      'projects/$PROJECT_ID/serviceAccounts/wm-deploy@$PROJECT_ID.iam.gserviceaccount.com',
    substitutions: { _REGION: region },
    options: { logging: 'CLOUD_LOGGING_ONLY', machineType: 'E2_HIGHCPU_8' },
    timeout: '3600s',
  })
}

const CHECKOUT: Yaml = { uses: 'actions/checkout@v4', with: { 'persist-credentials': false } }
const SETUP_NODE: Yaml = {
  uses: 'actions/setup-node@v4',
  with: { 'node-version': 24, cache: 'npm' },
}
const INSTALL: Yaml = { run: 'npm ci --ignore-scripts' }

/** Three systems, install scripts off everywhere; `gcloud` on Linux lints every command that the tools can print. */
export function testWorkflow(): string {
  const test: Yaml = {
    strategy: {
      'fail-fast': false,
      matrix: { os: ['ubuntu-latest', 'macos-latest', 'windows-latest'] },
    },
    'runs-on': github('matrix.os'),
    'timeout-minutes': 30,
    steps: [
      CHECKOUT,
      SETUP_NODE,
      {
        if: "runner.os == 'Linux'",
        uses: 'google-github-actions/setup-gcloud@v2',
        with: { version: '528.0.0', install_components: 'alpha,beta,cloud-firestore-emulator' },
      },
      INSTALL,
      { run: 'npm run check' },
      { run: 'npm test' },
    ],
  }
  const supply: Yaml = {
    'runs-on': 'ubuntu-latest',
    'timeout-minutes': 15,
    steps: [
      CHECKOUT,
      SETUP_NODE,
      INSTALL,
      { run: 'node infra/run.js audit --sbom=sbom.json' },
      { run: 'npm run build' },
      { uses: 'actions/upload-artifact@v4', with: { name: 'sbom', path: 'sbom.json' } },
    ],
  }
  return yamlText(MADE, {
    name: 'test',
    on: { push: { branches: ['main'] }, pull_request: {} },
    permissions: { contents: 'read' },
    concurrency: {
      group: `test-${github('github.ref')}`,
      'cancel-in-progress': github("github.event_name == 'pull_request'"),
    },
    jobs: { test, supply },
  })
}

const PLACE = `--project=${github('vars.GOOGLE_CLOUD_PROJECT')} --region=${github('vars.REGION')}`

const SIGN_IN: readonly Yaml[] = [
  {
    uses: 'google-github-actions/auth@v2',
    with: {
      workload_identity_provider: github('vars.WORKLOAD_IDENTITY_PROVIDER'),
      service_account: `wm-deploy@${github('vars.GOOGLE_CLOUD_PROJECT')}.iam.gserviceaccount.com`,
    },
  },
  { uses: 'google-github-actions/setup-gcloud@v2', with: { version: '528.0.0' } },
]

const STATE = { name: 'release', path: '.wowmedia/releases' }

/** No key is stored: GitHub's identity is exchanged (provision --github). `production` may ask a person. */
export function deployWorkflow(): string {
  const candidate: Yaml = {
    'runs-on': 'ubuntu-latest',
    'timeout-minutes': 60,
    steps: [
      CHECKOUT,
      SETUP_NODE,
      INSTALL,
      { run: 'npm run check' },
      { run: 'npm test' },
      { run: 'node infra/run.js audit' },
      { run: 'npm run build' },
      ...SIGN_IN,
      { run: `npm run deploy -- ${PLACE} --built --no-promote` },
      {
        uses: 'actions/upload-artifact@v4',
        with: { ...STATE, 'include-hidden-files': true },
      },
    ],
  }
  const promote: Yaml = {
    needs: 'candidate',
    environment: 'production',
    'runs-on': 'ubuntu-latest',
    'timeout-minutes': 30,
    steps: [
      CHECKOUT,
      SETUP_NODE,
      INSTALL,
      { uses: 'actions/download-artifact@v4', with: STATE },
      ...SIGN_IN,
      { run: `npm run promote -- ${PLACE}` },
    ],
  }
  return yamlText(MADE, {
    name: 'deploy',
    on: { workflow_dispatch: {} },
    permissions: { contents: 'read', 'id-token': 'write' },
    concurrency: { group: 'deploy', 'cancel-in-progress': false },
    jobs: { candidate, promote },
  })
}
