/** The table of problem codes in `docs/api.md`, from the codes themselves. */
import { PROBLEM_CODES } from '../../shared/domain/problem.ts'
import { problemForm } from '../../shared/http/problem.ts'

/** A Markdown table in the order of the statuses. */
export function problemTable(): string {
  const rows = PROBLEM_CODES.map((code) => ({ code, ...problemForm(code) }))
    .toSorted((a, b) => a.status - b.status)
    .map(({ code, status, title, retryable, signInAgain }) => {
      const advice = signInAgain === true ? 'sign in again' : retryable === true ? 'retry' : ''
      return `| ${status} | \`${code}\` | ${title} | ${advice} |`
    })
  return ['| status | code | title | |', '|---|---|---|---|', ...rows].join('\n')
}
