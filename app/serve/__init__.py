"""HTTP itself: errors, headers, limits, strict bodies and the server process."""
