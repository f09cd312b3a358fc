"""Machine-written tables. DO NOT EDIT: each names the command that makes it."""
