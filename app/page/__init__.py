"""The playground page: links, forms, the frame and its routes."""
