import { element } from './dom.js'
import { uploadPhoto } from './large.js'

/** `"upload";r=4;t=55` as a sentence. */
function remaining(header) {
  const [, left, seconds] = /r=(\d+);t=(\d+)/.exec(header ?? '') ?? []
  if (left === undefined) return undefined
  return `${left} more ${left === '1' ? 'upload' : 'uploads'} now; the limit is whole again in ${seconds} s.`
}

function refusal(error) {
  if (error.code !== 'rate_limited') return error.message
  return `Too many uploads (${error.message}). Possible again in ${error.retryAfter} s.`
}

function transferLine(file, list) {
  const bar = element('progress', { max: '1', value: '0', 'aria-label': `Upload of ${file.name}` })
  const said = element('p', { class: 'soft', role: 'status' })
  const line = element('li', {}, element('span', { class: 'name' }, file.name), bar, said)
  list.prepend(line)
  return { line, bar, said }
}

async function send(file, key, shown, finished) {
  shown.said.textContent = ''
  shown.bar.hidden = false
  try {
    const { limit } = await uploadPhoto(file, key, (part) => {
      shown.bar.value = part
    })
    shown.bar.hidden = true
    shown.said.textContent = `Uploaded. ${remaining(limit) ?? ''}`
    setTimeout(() => shown.line.remove(), 6000)
    finished()
  } catch (error) {
    shown.bar.hidden = true
    const again = element(
      'button',
      { type: 'button', class: 'quiet', onclick: () => send(file, key, shown, finished) },
      'Try again',
    )
    shown.said.replaceChildren(refusal(error), ' ', again)
  }
}

/** Drop area, file picker and the uploads under way; one after the other, so that the limit is not run into blindly. */
export function uploads(finished) {
  const list = element('ul', { class: 'transfers', 'aria-label': 'Uploads' })
  let last = Promise.resolve()
  const take = (files) => {
    for (const file of files) {
      const shown = transferLine(file, list)
      last = last.then(() => send(file, crypto.randomUUID(), shown, finished))
    }
  }
  const input = element('input', {
    type: 'file',
    multiple: true,
    accept: 'image/jpeg,image/png,image/gif,image/webp,image/avif,image/heic',
    onchange: () => {
      take([...input.files])
      input.value = ''
    },
  })
  const drop = element(
    'label',
    { class: 'drop' },
    element('strong', {}, 'Drop photos here, or choose files'),
    element('span', { class: 'soft' }, 'JPEG, PNG, GIF, WebP, AVIF or HEIC'),
    input,
  )
  for (const kind of ['dragover', 'dragleave', 'drop']) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault()
      drop.classList.toggle('over', kind === 'dragover')
      if (kind === 'drop') take([...event.dataTransfer.files])
    })
  }
  return element('div', {}, drop, list)
}
