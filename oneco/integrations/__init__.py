"""One folder for each product that oneco works with; they know nothing of each other."""
