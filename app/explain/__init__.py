"""One step explained: the walkthrough in words, symbols, numbers and code, receipts, and the looks over JSON."""
