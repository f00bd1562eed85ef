import { signIn } from './api.js'
import { element, field, form } from './dom.js'

function credentials(newAccount) {
  return [
    field('Username', {
      name: 'username',
      autocomplete: 'username',
      autocapitalize: 'none',
      spellcheck: 'false',
      required: true,
      minlength: '3',
      maxlength: '64',
    }),
    field('Password', {
      name: 'password',
      type: 'password',
      autocomplete: newAccount ? 'new-password' : 'current-password',
      required: true,
      maxlength: '1024',
    }),
  ]
}

/** The way in: sign in or create an account; calls `entered` when there are tokens. */
export function signInView(entered, newAccount = false) {
  const view = element('section', { class: 'card narrow', 'aria-labelledby': 'sign-in-title' })
  const switchTo = (wanted) => view.replaceWith(signInView(entered, wanted))
  const submit = async (values) => {
    const device_name =
      `Browser on ${navigator.userAgentData?.platform ?? navigator.platform}`.slice(0, 64)
    await signIn(newAccount ? 'registration' : 'login', { ...values, device_name })
    await entered()
  }
  view.append(
    element('h1', { id: 'sign-in-title' }, newAccount ? 'Create an account' : 'Sign in'),
    element(
      'p',
      { class: 'soft' },
      'Your photos are private. Their location data is removed when they arrive.',
    ),
    form(credentials(newAccount), newAccount ? 'Create account' : 'Sign in', submit),
    element(
      'p',
      { class: 'row' },
      newAccount ? 'You have one already?' : 'New here?',
      element(
        'button',
        { type: 'button', class: 'quiet', onclick: () => switchTo(!newAccount) },
        newAccount ? 'Sign in instead' : 'Create an account',
      ),
    ),
  )
  return view
}
