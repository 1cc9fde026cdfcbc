"""The sign-in form: a plain page that works without scripts."""

from __future__ import annotations

from html import escape

from heavy_stack.frontend.documents import plain_document

ACTION = "/sign-in"


def render_sign_in(nonce: str, error: str | None, next_path: str) -> str:
    """The form's HTML.

    Args:
        nonce: The page's nonce; the form has no script, so it is only passed on to what stands around it.
        error: Why the last try failed, as plain text; None on the first visit.
        next_path: Where to go afterwards; the form carries it in the field `next`.
    """
    problem = f'<div class="notice notice-error" role="alert"><p>{escape(error)}</p></div>' if error else ""
    described = ' aria-invalid="true"' if error else ""
    content = f"""<section class="card narrow"><h1>Sign in</h1>
{problem}<form method="post" action="{ACTION}">
<input type="hidden" name="next" value="{escape(next_path)}">
<label for="user">User name</label>
<input id="user" name="user" type="text" autocomplete="username" autocapitalize="none" required autofocus{described}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required{described}>
<div class="actions"><button type="submit">Sign in</button></div>
</form>
<p class="hint">A local server writes its password into the file <code>password</code> in its data folder.</p>
</section>"""
    return plain_document("Sign in", content, nonce).html
