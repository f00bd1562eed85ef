/** Parts of the API description that many answers share. */
import type { ProblemCode } from '../../shared/domain/problem.ts'

const text = { type: 'string' } as const

/** A header that is always there where it is described. */
function header(description: string, schema: object = text) {
  return { description, required: true, schema }
}

const POLICY = '"[a-z0-9-]+";q=\\d+;w=\\d+'
const LEFT = '"[a-z0-9-]+";r=\\d+;t=\\d+'

/** Reply headers by name. */
export const HEADERS = {
  'X-Request-Id': header('Names this request in the logs'),
  'WWW-Authenticate': header('The challenge of RFC 6750'),
  Allow: header('The methods of this path'),
  Location: {
    description:
      'Where it is; a deployment without PUBLIC_URL names no address of what was created',
    schema: { type: 'string', format: 'uri-reference' },
  },
  'Retry-After': header('Seconds after which the same request is admitted', {
    type: 'integer',
    minimum: 1,
  }),
  'Retry-After-Where-Known': {
    description: 'Seconds after which the same request may work, where that is known',
    schema: { type: 'integer', minimum: 1 },
  },
  RateLimit: header('What is left and for how many seconds, as in `"upload";r=4;t=55`', {
    type: 'string',
    pattern: `^${LEFT}(, ${LEFT})*$`,
  }),
  'RateLimit-Policy': header('The limit and its seconds, as in `"upload";q=5;w=60`', {
    type: 'string',
    pattern: `^${POLICY}(, ${POLICY})*$`,
  }),
  'Idempotency-Replayed': header('This is the first answer again', {
    type: 'string',
    enum: ['true'],
  }),
  'Content-Disposition': header('The name under which to keep it'),
} as const

/** RFC 9457 with our members. */
export function problemSchema(codes: readonly ProblemCode[]): object {
  return {
    type: 'object',
    description: 'What went wrong (RFC 9457)',
    required: [
      'type',
      'title',
      'status',
      'detail',
      'code',
      'message',
      'request_id',
      'retryable',
      'sign_in_again',
    ],
    additionalProperties: false,
    properties: {
      type: { type: 'string', format: 'uri-reference' },
      title: { type: 'string', description: 'Never changes with the request' },
      status: { type: 'integer', minimum: 400, maximum: 599 },
      detail: { type: 'string', description: 'For a person' },
      code: { type: 'string', enum: codes, description: 'Stable: what a program decides by' },
      message: { type: 'string', description: 'The same text as `detail`' },
      request_id: { type: 'string' },
      retryable: { type: 'boolean', description: 'The same request may work later' },
      sign_in_again: { type: 'boolean', description: 'Only a new login helps' },
      errors: {
        type: 'array',
        items: {
          type: 'object',
          required: ['field', 'message'],
          additionalProperties: false,
          properties: { field: { type: 'string' }, message: { type: 'string' } },
        },
      },
    },
  }
}
