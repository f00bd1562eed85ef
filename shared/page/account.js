import { call } from './api.js'
import { ask, element, field, form, inWords, notice } from './dom.js'

function passwordField(label, name, kind) {
  return field(label, {
    name,
    type: 'password',
    autocomplete: kind,
    required: true,
    maxlength: '1024',
  })
}

function passwordForm() {
  const fields = [
    passwordField('Current password', 'current_password', 'current-password'),
    passwordField('New password', 'new_password', 'new-password'),
  ]
  return form(fields, 'Change password', async (values, made) => {
    await call('account', { path: '/password', method: 'PUT', body: values })
    made.reset()
    notice('Password changed. All other devices are signed out.')
  })
}

async function save() {
  const whole = await call('account', { path: '/export' })
  const address = URL.createObjectURL(
    new Blob([JSON.stringify(whole, null, 2)], { type: 'application/json' }),
  )
  element('a', { href: address, download: 'wowmedia-account.json' }).click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

async function removeAccount(leave) {
  const gone = await ask({
    title: 'Delete your account?',
    text: 'Your photos, devices and name are removed. There is no way back.',
    action: 'Delete everything',
    extra: [passwordField('Password', 'password', 'current-password')],
    check: (values) => call('account', { method: 'DELETE', body: values }),
  })
  if (gone) leave('Your account is deleted.')
}

async function show(facts) {
  const account = await call('account')
  facts.textContent = `${account.username}: ${account.photo_count} of ${account.quota.count} photos, ${inWords(account.photo_bytes)} of ${inWords(account.quota.bytes)}. Upload limit ${account.upload_limit}.`
}

/** Password, export and deletion of one's own account. */
export function accountView(leave) {
  const facts = element('p', { class: 'soft' })
  show(facts).catch((error) => notice(error.message))
  return element(
    'section',
    { 'aria-labelledby': 'account-title' },
    element('div', { class: 'card' }, element('h1', { id: 'account-title' }, 'Account'), facts),
    element('div', { class: 'card' }, element('h2', {}, 'Password'), passwordForm()),
    element(
      'div',
      { class: 'card' },
      element('h2', {}, 'Your data'),
      element(
        'p',
        { class: 'row' },
        element(
          'button',
          {
            type: 'button',
            class: 'quiet',
            onclick: () => save().catch((error) => notice(error.message)),
          },
          'Download as JSON',
        ),
        element(
          'button',
          { type: 'button', class: 'quiet danger', onclick: () => removeAccount(leave) },
          'Delete account',
        ),
      ),
    ),
  )
}
