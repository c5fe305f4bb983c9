"""The lessons: their pages, live pieces, questions that the engine checks, and exercises over JSON."""
