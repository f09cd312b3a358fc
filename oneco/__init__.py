"""One Person Company: one person delivers and operates a whole company's applications.

The rooms below this package are ordered by direction of knowledge; `docs/ARCHITECTURE.md` has
the picture and `pyproject.toml` the import contracts that hold it up.
"""

__version__ = "0.1.0"
