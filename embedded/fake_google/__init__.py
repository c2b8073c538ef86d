"""The Google stand-in: signs people in with made-up accounts, when no client of Google is given.

It is a provider of OpenID Connect: discovery, keys, a page on which an account is chosen, and codes
that are exchanged for signed ID tokens. It asks for PKCE and checks it. Tests switch what goes
wrong (see `mischief`).
"""
