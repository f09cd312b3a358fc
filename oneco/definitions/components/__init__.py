"""Component definitions: what runs."""
