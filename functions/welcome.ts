import { settings } from '../shared/config.ts'
import { defineEndpoint } from '../shared/http/endpoint.ts'
import { linksOf } from '../shared/http/links.ts'
import { object, optional, string } from '../shared/http/schema.ts'
import { serve } from '../shared/http/serve.ts'

const config = settings('FUNCTION_URLS')

const link = string({ maxLength: 2048, description: 'Address of the endpoint' })
const welcome = object({
  message: string({ maxLength: 64, example: 'Welcome To Wowmedia Project' }),
  links: object({
    registration: optional(link),
    login: optional(link),
    refresh: optional(link),
    logout_access: optional(link),
    logout_refresh: optional(link),
    upload: optional(link),
    uploads: optional(link),
    photos: optional(link),
    sessions: optional(link),
    account: optional(link),
    users: optional(link),
    jwks: optional(link),
  }),
})

export const endpoint = defineEndpoint({
  name: 'welcome',
  routes: {
    'GET /': {
      summary: 'Welcome, with links to the rest',
      access: 'anyone',
      replies: { 200: { description: 'Where everything is', schema: welcome } },
      problems: ['not_acceptable'],
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
    accepts(['application/json'])
    return {
      status: 200,
      body: {
        message: 'Welcome To Wowmedia Project',
        links: linksOf(publicUrl, config.FUNCTION_URLS),
      },
    }
  },
  'GET /robots.txt': async () => ({
    status: 200,
    content: 'User-agent: *\nDisallow: /\n',
    contentType: 'text/plain; charset=utf-8',
  }),
})
