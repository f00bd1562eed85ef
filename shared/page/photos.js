import { call } from './api.js'
import { ask, byId, element, inWords, notice, time } from './dom.js'
import { uploads } from './uploads.js'

const PAGE = 48

async function addressOf(photo) {
  const { url } = await call('photos', { path: `/${photo.id}/content`, accept: 'application/json' })
  return url
}

/** Loads a thumbnail only when it comes into view; an address lives a few minutes. */
function lazily(picture, photo) {
  const watcher = new IntersectionObserver(async ([entry]) => {
    if (!entry.isIntersecting) return
    watcher.disconnect()
    try {
      picture.src = await addressOf(photo)
    } catch (error) {
      notice(error.message)
    }
  })
  watcher.observe(picture)
}

async function remove(photo, after) {
  const sure = await ask({
    title: 'Delete this photo?',
    text: `${photo.original_name} will be gone for good.`,
    action: 'Delete',
    check: () => call('photos', { path: `/${photo.id}`, method: 'DELETE' }),
  })
  if (sure) {
    byId('lightbox').close()
    after()
    notice('Photo deleted.')
  }
}

function facts(photo) {
  return element(
    'p',
    { class: 'soft' },
    `${photo.width} × ${photo.height}, ${inWords(photo.bytes)}, `,
    time(photo.taken_at ?? photo.created_at),
  )
}

async function open(state, index) {
  const photo = state.photos[index]
  if (photo === undefined) return
  const dialog = byId('lightbox')
  const picture = element('img', { alt: photo.original_name })
  const step = (by) => {
    void open(state, index + by)
  }
  dialog.onkeydown = ({ key }) => {
    if (key === 'ArrowRight') step(1)
    if (key === 'ArrowLeft') step(-1)
  }
  dialog.replaceChildren(
    picture,
    element('h2', { class: 'name' }, photo.original_name),
    facts(photo),
    element(
      'p',
      { class: 'row' },
      element(
        'button',
        { type: 'button', class: 'quiet', disabled: index === 0, onclick: () => step(-1) },
        'Previous',
      ),
      element(
        'button',
        {
          type: 'button',
          class: 'quiet',
          disabled: index + 1 >= state.photos.length,
          onclick: () => step(1),
        },
        'Next',
      ),
      element(
        'button',
        { type: 'button', class: 'quiet danger', onclick: () => remove(photo, state.reload) },
        'Delete',
      ),
      element('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, 'Close'),
    ),
  )
  if (!dialog.open) dialog.showModal()
  try {
    picture.src = await addressOf(photo)
  } catch (error) {
    notice(error.message)
  }
}

function tile(state, index) {
  const photo = state.photos[index]
  const picture = element('img', { alt: photo.original_name, loading: 'lazy' })
  lazily(picture, photo)
  return element(
    'li',
    {},
    element('button', { type: 'button', onclick: () => open(state, index) }, picture),
  )
}

/** Upload area and gallery, newest first. */
export function photosView() {
  const gallery = element('ul', { class: 'gallery', 'aria-label': 'Your photos' })
  const empty = element(
    'p',
    { class: 'soft', hidden: true },
    'No photos yet. Add the first one above.',
  )
  const more = element('button', { type: 'button', class: 'quiet', hidden: true }, 'Show more')
  const state = { photos: [], next: undefined }
  const load = async () => {
    const token = state.next === undefined ? '' : `&page_token=${encodeURIComponent(state.next)}`
    const page = await call('photos', { path: `?page_size=${PAGE}${token}` })
    const from = state.photos.length
    state.photos.push(...page.photos)
    state.next = page.next_page_token
    gallery.append(...page.photos.map((_, offset) => tile(state, from + offset)))
    more.hidden = state.next === undefined
    empty.hidden = state.photos.length > 0
  }
  state.reload = async () => {
    state.photos = []
    state.next = undefined
    gallery.replaceChildren()
    await load().catch((error) => notice(error.message))
  }
  more.addEventListener('click', () => load().catch((error) => notice(error.message)))
  state.reload()
  return element(
    'section',
    { 'aria-labelledby': 'photos-title' },
    element('h1', { id: 'photos-title' }, 'Photos'),
    uploads(state.reload),
    empty,
    gallery,
    more,
  )
}
