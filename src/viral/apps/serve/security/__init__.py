"""Access control: tokens, sessions, scopes, the rate limit, CORS, and checks of every request."""
