"""The playground in a cell of a notebook, served by the kernel itself."""

from app.notebook.playground import Playground

__all__ = ["Playground"]
