/** What Cloud Storage and Artifact Registry remove by themselves; committed below infra/generated. Pure. */

const JSON_TEXT = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

/** Where direct uploads arrive; the sweep removes them after hours, this after a day where it never ran. */
const QUARANTINE = 'tmp/'

const DELETE = { type: 'Delete' } as const

/** Path in the repository -> content. */
export function storageFiles(): ReadonlyMap<string, string> {
  const bucket = {
    rule: [
      { action: { type: 'AbortIncompleteMultipartUpload' }, condition: { age: 1 } },
      { action: DELETE, condition: { age: 2, matchesPrefix: [QUARANTINE] } },
    ],
  }
  const sources = { rule: [{ action: DELETE, condition: { age: 30 } }] }
  const images = [
    {
      name: 'keep-for-rollback',
      action: { type: 'Keep' },
      mostRecentVersions: { keepCount: 10 },
    },
    { name: 'remove-old', action: DELETE, condition: { tagState: 'any', olderThan: '30d' } },
  ]
  return new Map([
    ['infra/generated/bucket-lifecycle.json', JSON_TEXT(bucket)],
    ['infra/generated/source-lifecycle.json', JSON_TEXT(sources)],
    ['infra/generated/image-cleanup.json', JSON_TEXT(images)],
  ])
}
