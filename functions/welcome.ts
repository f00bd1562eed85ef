import { settings } from '../shared/config.ts'
import { ProblemError } from '../shared/domain/problem.ts'
import { defineEndpoint } from '../shared/http/endpoint.ts'
import { linksOf } from '../shared/http/links.ts'
import { object, optional, string } from '../shared/http/schema.ts'
import { serve } from '../shared/http/serve.ts'
import { assetReply, pageReply } from '../shared/page/replies.ts'

const config = settings('FUNCTION_URLS', 'STORAGE_EMULATOR_HOST')

const link = optional(string({ maxLength: 2048, description: 'Address of the endpoint' }))
const welcome = object({
  message: string({ maxLength: 64, example: 'Welcome To Wowmedia Project' }),
  links: object({
    registration: link,
    login: link,
    refresh: link,
    logout_access: link,
    logout_refresh: link,
    upload: link,
    uploads: link,
    photos: link,
    sessions: link,
    account: link,
    users: link,
    jwks: link,
  }),
})
const asset = object({ asset: string({ maxLength: 32, pattern: /^[a-z-]+\.(js|css|png)$/ }) })

export const endpoint = defineEndpoint({
  name: 'welcome',
  routes: {
    'GET /': {
      summary: 'Welcome, with links to the rest',
      description: 'A browser (`Accept: text/html`) gets the console page instead.',
      access: 'anyone',
      replies: {
        200: {
          description: 'Where everything is',
          schema: welcome,
          otherTypes: ['text/html'],
          example: {
            message: 'Welcome To Wowmedia Project',
            links: { login: 'http://127.0.0.1:8080/login', upload: 'http://127.0.0.1:8080/file' },
          },
        },
      },
      problems: ['not_acceptable'],
    },
    'GET /openapi.json': {
      summary: 'This description',
      access: 'anyone',
      replies: { 200: { description: 'OpenAPI 3.1', contentType: 'application/json' } },
      problems: [],
    },
    'GET /console/{asset}': {
      summary: 'A file of the console page',
      access: 'anyone',
      params: asset,
      replies: { 200: { description: 'The file', contentType: 'text/javascript' } },
      problems: ['not_found'],
    },
    'GET /favicon.ico': {
      summary: 'The icon of the console page',
      access: 'anyone',
      replies: { 200: { description: 'The icon', contentType: 'image/png' } },
      problems: [],
    },
    'GET /robots.txt': {
      summary: 'Nothing here is for crawlers',
      access: 'anyone',
      replies: { 200: { description: 'Robots exclusion', contentType: 'text/plain' } },
      problems: [],
    },
  },
})

serve(endpoint, {
  'GET /': async ({ accepts, publicUrl }) => {
    const links = linksOf(publicUrl, config.FUNCTION_URLS)
    if (accepts(['application/json', 'text/html']) === 'text/html') {
      return pageReply(links, config.STORAGE_EMULATOR_HOST)
    }
    return { status: 200, body: { message: 'Welcome To Wowmedia Project', links } }
  },
  'GET /openapi.json': async () => assetReply('openapi.json') ?? { status: 204 },
  'GET /console/{asset}': async ({ params }) => {
    const reply = assetReply(params.asset)
    if (reply === undefined) throw new ProblemError('not_found')
    return reply
  },
  'GET /favicon.ico': async () => assetReply('icon.png') ?? { status: 204 },
  'GET /robots.txt': async () => ({
    status: 200,
    content: 'User-agent: *\nDisallow: /\n',
    contentType: 'text/plain; charset=utf-8',
  }),
})
