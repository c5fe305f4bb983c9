"""What people bring: bytes or text in, a table of typed columns out, with all that was understood said in sentences."""
