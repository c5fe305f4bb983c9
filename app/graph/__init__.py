"""Any formula as its graph: the page, its JSON, and what is said of each moment."""
