/** The framework with an empty function: what a call costs before anything of ours. */
import { http } from '@google-cloud/functions-framework'

http('empty', (_request, response) => {
  response.status(200).send('')
})
