"""Ways to sign in: password, second factor, OpenID Connect, links by e-mail, API tokens."""
