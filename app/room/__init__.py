"""A class: rooms as values, questions from a live step, the stream to every follower, pages and JSON."""
