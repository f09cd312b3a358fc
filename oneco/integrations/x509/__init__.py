"""X.509: what certificate requests ask for, making them, and how long certificates live.

`cryptography` is imported when the first request is read or made, not before: most processes never
see one.
"""
