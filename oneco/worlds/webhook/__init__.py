"""What an API server asks before it keeps an object, answered over HTTPS.

Here: the answers (`application`) and the certificate that they are served with (`certificate`).
Not here: the rules themselves; `main` hands them in.
"""
