import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { judgeAccess, judgeOpenness } from '../../infra/doctor/judge-access.ts'
import { FUNCTIONS } from '../../infra/manifest.ts'
import { accessStage, type Grant, grants, roleName } from '../../infra/provision/access-stages.ts'
import { APIS, accountIds } from '../../infra/provision/project-stages.ts'
import { commandLine } from '../../infra/release/command.ts'
import { openDeployment } from '../../infra/release/deployment.ts'
import { deployCommand } from '../../infra/release/release-commands.ts'

const PLACE = { project: 'demo-project', region: 'europe-west1', settingsFile: undefined }
const DEPLOYMENT = openDeployment(PLACE, '123456789012', 'abc')

function of(account: string): readonly string[] {
  return grants()
    .filter((grant) => grant.account === account)
    .map(({ role, on }) => `${role} ${on.kind === 'secret' ? on.secret : on.kind}`)
    .toSorted()
}

const ACCESSOR = 'roles/secretmanager.secretAccessor'
const DATABASE = 'roles/datastore.user database'
const JWKS = `${ACCESSOR} wm-jwks`
const VERIFIER = [DATABASE, JWKS].toSorted()
const ISSUER = [
  DATABASE,
  JWKS,
  `${ACCESSOR} wm-signing-key`,
  `${ACCESSOR} wm-token-secret`,
].toSorted()
const CREATE = 'roles/storage.objectCreator bucket'
const READ = 'roles/storage.objectViewer bucket'
const REMOVE = 'wmObjectRemover bucket'

const MATRIX: Readonly<Record<string, readonly string[]>> = {
  welcome: [],
  jwks: [JWKS],
  register: ISSUER,
  login: ISSUER,
  refresh: ISSUER,
  'logout-access': VERIFIER,
  'logout-refresh': [DATABASE],
  sessions: VERIFIER,
  users: [...VERIFIER, REMOVE],
  account: [...VERIFIER, REMOVE],
  upload: [...VERIFIER, CREATE],
  uploads: [...VERIFIER, CREATE, READ, REMOVE],
  photos: [...VERIFIER, READ, REMOVE, 'roles/iam.serviceAccountTokenCreator account'],
  sweep: [DATABASE, REMOVE],
}

test.for(Object.entries(MATRIX))(
  'the account of %s has its row and nothing more',
  ([name, row]) => {
    expect(of(`fn-${name}`)).toEqual(row.toSorted())
  },
)

test('OPS-01 each function has an account of its own, none is the default one, none is powerful', () => {
  const accounts = FUNCTIONS.map(
    (spec) =>
      /--service-account=(\S+)/.exec(
        commandLine(deployCommand(spec, DEPLOYMENT, { first: true })),
      )?.[1],
  )
  const roles = grants().map(({ role }) => role)
  const members = grants().map(({ account }) => account)

  expect(new Set(accounts).size).toBe(FUNCTIONS.length)
  expect(accounts).toEqual(
    FUNCTIONS.map(({ name }) => `fn-${name}@demo-project.iam.gserviceaccount.com`),
  )
  expect(Object.keys(MATRIX)).toEqual(FUNCTIONS.map(({ name }) => name))
  expect(roles.filter((role) => /owner|editor|admin$|\.admin/i.test(role))).toEqual([
    'roles/firebasehosting.admin',
    'roles/firebaserules.admin',
  ])
  expect(members.every((account) => accountIds().includes(account))).toBe(true)
  expect(commandsText()).not.toMatch(/keys create|-compute@|roles\/(owner|editor)/)
})

function commandsText(): string {
  return accessStage(DEPLOYMENT)
    .steps.map(({ run }) => commandLine(run))
    .join('\n')
}

test('private key and token secret are for the three that sign, and nobody else', () => {
  const readers = (secret: string) =>
    grants()
      .filter(({ on }) => on.kind === 'secret' && on.secret === secret)
      .map(({ account }) => account)

  expect(readers('wm-signing-key')).toEqual(['fn-register', 'fn-login', 'fn-refresh'])
  expect(readers('wm-token-secret')).toEqual(['fn-register', 'fn-login', 'fn-refresh'])
})

test('rights on Firestore hold for the one database, and rights on accounts for the one account', () => {
  const text = commandsText()

  expect(text.match(/roles\/datastore\.user/g)).toHaveLength(12)
  expect(text.match(/resource\.name=="projects\/demo-project\/databases\/wowmedia"/g)).toHaveLength(
    12,
  )
  expect(text).toContain(
    'gcloud iam service-accounts add-iam-policy-binding fn-photos@demo-project.iam.gserviceaccount.com --project=demo-project --member=serviceAccount:fn-photos@',
  )
})

test('DATA-01 the rules let no app read or write, and a release releases them', async () => {
  const [firestore, storage, config] = await Promise.all(
    ['infra/firestore.rules', 'infra/storage.rules', 'firebase.json'].map((file) =>
      readFile(file, 'utf8'),
    ),
  )
  const allowed = (rules = '') => rules.match(/allow .*$/gm)
  const { firebaseCommand, storageRulesCommand } = await import(
    '../../infra/release/release-commands.ts'
  )

  expect(allowed(firestore)).toEqual(['allow read, write: if false;'])
  expect(allowed(storage)).toEqual(['allow read, write: if false;'])
  expect(firestore).toContain('match /{document=**}')
  expect(storage).toContain('match /{path=**}')
  expect(JSON.parse(config ?? '')).toMatchObject({
    firestore: [{ rules: 'infra/firestore.rules' }],
    storage: { rules: 'infra/storage.rules' },
  })
  expect(commandLine(firebaseCommand(DEPLOYMENT))).toContain('--only=firestore:rules,hosting')
  expect(commandLine(storageRulesCommand(DEPLOYMENT))).toContain('--only=storage')
  expect(APIS).toContain('firebaserules')
})

/** A project's policy that has all that it must have. */
function policyOf(selected: readonly Grant[]) {
  const member = ({ account }: Grant) =>
    `serviceAccount:${account}@demo-project.iam.gserviceaccount.com`
  return {
    bindings: selected.map((grant) => ({
      role: roleName(grant.role, DEPLOYMENT),
      members: [member(grant)],
      ...(grant.on.kind === 'database' ? { condition: { title: 'wowmedia-database' } } : {}),
    })),
  }
}

const ON_PROJECT = grants().filter(({ on }) => on.kind === 'project' || on.kind === 'database')

test('the doctor is content with a policy that is as provisioned', () => {
  const found = judgeAccess('the project', { kind: 'project' }, DEPLOYMENT, policyOf(ON_PROJECT))

  expect(found).toEqual([{ what: 'access to the project' }])
})

test('the doctor names what is missing and what is too much', () => {
  const policy = policyOf(ON_PROJECT.filter(({ account }) => account !== 'fn-login'))
  policy.bindings.push({
    role: 'roles/editor',
    members: ['serviceAccount:fn-jwks@demo-project.iam.gserviceaccount.com', 'allUsers'],
  })

  const problems = [
    ...judgeAccess('the project', { kind: 'project' }, DEPLOYMENT, policy),
    ...judgeOpenness('the project', policy),
  ].map(({ problem }) => problem)

  expect(problems).toEqual([
    'missing: serviceAccount:fn-login@demo-project.iam.gserviceaccount.com roles/datastore.user on the database',
    'too much: serviceAccount:fn-jwks@demo-project.iam.gserviceaccount.com roles/editor',
    'roles/editor is granted to everybody',
  ])
})
