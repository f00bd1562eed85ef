import { expect, test } from 'vitest'
import { FUNCTIONS, type FunctionSpec, promotionOrder } from '../../infra/manifest.ts'
import { manifestProblems, tooSlowForHosting } from '../../infra/manifest-rules.ts'

const LOGIN = FUNCTIONS.find(({ name }) => name === 'login') ?? FUNCTIONS[0]

function changed(part: Partial<FunctionSpec>): readonly FunctionSpec[] {
  if (LOGIN === undefined) throw new TypeError('no function')
  return [{ ...LOGIN, ...part }]
}

test('the manifest can be deployed', () => {
  expect(manifestProblems(FUNCTIONS)).toEqual([])
})

const REFUSED: readonly { readonly part: Partial<FunctionSpec>; readonly problem: string }[] = [
  { part: { name: 'Login' }, problem: 'login: the name has the wrong form' },
  { part: { name: `l${'o'.repeat(30)}` }, problem: 'account id would be over 30' },
  { part: { name: 'ab' }, problem: 'account id would be under 6' },
  { part: { concurrency: 0 }, problem: 'concurrency must be from 1 to 16' },
  { part: { concurrency: 40 }, problem: 'concurrency must be from 1 to 16' },
  { part: { concurrency: 129, native: [] }, problem: 'concurrency must be from 1 to 128' },
  { part: { maxInstances: 101 }, problem: 'maxInstances must be from 1 to 100' },
  { part: { minInstances: 31 }, problem: 'minInstances must not be over' },
  { part: { timeoutSeconds: 3601 }, problem: 'timeoutSeconds must be from 1 to 3600' },
  { part: { memoryMib: 256 }, problem: 'memoryMib must be at least 269' },
  { part: { maxBodyBytes: 64 * 1024 * 1024 }, problem: 'maxBodyBytes is over' },
  { part: { firestore: false }, problem: 'firestore and FIRESTORE_DATABASE' },
  { part: { bucket: ['read'] }, problem: 'bucket and PHOTO_BUCKET' },
  { part: { signsUrls: true }, problem: 'a signed address needs the right to read' },
  { part: { secrets: ['signingKey'] }, problem: 'it signs unverified' },
  { part: { secrets: ['jwks', 'jwks'] }, problem: 'a secret is named twice' },
  {
    part: { settings: ['JWKS_FILE', 'FIRESTORE_DATABASE'] },
    problem: 'a mounted secret is a setting',
  },
]

test.for(REFUSED)('what gcloud would let through is refused: $problem', ({ part, problem }) => {
  const problems = manifestProblems(changed(part)).map((line) => line.toLowerCase())

  expect(problems.join('\n')).toContain(problem.toLowerCase())
})

test('functions that together ask for more than a project gets are refused', () => {
  const many = FUNCTIONS.map((spec) => ({ ...spec, maxInstances: 60 }))

  expect(manifestProblems(many).join()).toContain('vCPUs')
})

test('a function that stands twice is refused', () => {
  expect(manifestProblems([...FUNCTIONS, ...FUNCTIONS.slice(0, 1)])).toContain(
    'a function is named twice',
  )
})

test('public keys are promoted first, and what signs with new ones last', () => {
  const order = promotionOrder(FUNCTIONS).map(({ name }) => name)

  expect(order[0]).toBe('jwks')
  expect(order.slice(-3)).toEqual(['login', 'refresh', 'register'])
})

test('only uploads outlast Hosting, and deploy says so', () => {
  expect(tooSlowForHosting(FUNCTIONS)).toEqual(['upload', 'uploads'])
})
