"""HTTP itself: errors, headers, limits, strict bodies, the worker pool and the server process."""
