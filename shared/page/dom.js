/** Elements without markup in strings: text can never become HTML. */

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value)
    else if (value === true) made.setAttribute(name, '')
    else if (value !== false && value !== undefined) made.setAttribute(name, value)
  }
  made.append(...children.filter((child) => child !== undefined))
  return made
}

export function byId(id) {
  return document.getElementById(id)
}

/** Shows one line at the bottom for a while; screen readers hear it. */
export function notice(text) {
  const line = element('p', {}, text)
  byId('notices').append(line)
  setTimeout(() => line.remove(), 7000)
}

/** A labelled input; `attributes` as on `<input>`. */
export function field(label, attributes) {
  return element('label', {}, label, element('input', attributes))
}

/**
 * A form that is busy while `submit` runs, and shows its problem. Gives `submit` the fields by name.
 */
export function form(parts, action, submit) {
  const problem = element('p', { class: 'problem', role: 'alert', hidden: true })
  const button = element('button', { type: 'submit' }, action)
  const made = element('form', {}, ...parts, problem, button)
  made.addEventListener('submit', async (event) => {
    event.preventDefault()
    const values = Object.fromEntries(new FormData(made))
    button.disabled = true
    problem.hidden = true
    try {
      await submit(values, made)
    } catch (error) {
      problem.textContent = error.message
      problem.hidden = false
    } finally {
      button.disabled = false
    }
  })
  return made
}

/** Asks in a dialog; resolves true on confirmation. `extra` may hold fields, `check` runs before it closes. */
export function ask({ title, text, action, extra = [], check = async () => undefined }) {
  const dialog = byId('question')
  const { promise, resolve } = Promise.withResolvers()
  const done = form(extra, action, async (values) => {
    await check(values)
    dialog.returnValue = 'yes'
    dialog.close('yes')
  })
  dialog.replaceChildren(
    element('h2', { id: 'question-title' }, title),
    element('p', { class: 'soft' }, text),
    done,
    element(
      'p',
      { class: 'row' },
      element(
        'button',
        { type: 'button', class: 'quiet', onclick: () => dialog.close('') },
        'Cancel',
      ),
    ),
  )
  dialog.returnValue = ''
  dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
  dialog.showModal()
  return promise
}

export function inWords(bytes) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

export function time(text) {
  return element('time', { datetime: text }, new Date(text).toLocaleString())
}
