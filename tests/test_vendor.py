"""What other people wrote is here unchanged, licensed, and of the version the documents name."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from machine import ROOT

FOLDERS = (ROOT / "static" / "vendor", ROOT / "tests" / "browser" / "vendor")
ENTRIES = [
    pytest.param(folder, entry, id=entry["file"])
    for folder in FOLDERS
    for entry in json.loads((folder / "manifest.json").read_text())
]
VERSIONS = {param.values[1]["package"]: param.values[1]["version"] for param in ENTRIES}
NAMES = {"htmx": "htmx.org", "swagger-ui": "swagger-ui-dist", "axe-core": "axe-core"}


@pytest.mark.parametrize(("folder", "entry"), ENTRIES)
def test_a_vendored_file_is_the_one_in_the_manifest(folder: Path, entry: dict[str, Any]) -> None:
    """A file that was edited or upgraded by hand no longer has its hash."""
    content = (folder / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert (folder / entry["licence_file"]).read_text().strip()
    assert entry["licence"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_no_script_or_style_is_vendored_without_a_manifest_entry(folder: Path) -> None:
    """Whatever a page can load from vendor/ is listed."""
    listed = {entry["file"] for entry in json.loads((folder / "manifest.json").read_text())}
    served = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix in {".js", ".css", ".mjs", ".woff2"}
    }
    assert served == listed


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_nothing_vendored_points_to_a_source_map(folder: Path) -> None:
    """A source map that is not there is a 404 in every open developer console."""
    for path in folder.rglob("*.[jc]s*"):
        assert "sourceMappingURL=" not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize("document", ["README.md", "SERVING.md", "CONTRIBUTING.md"])
def test_the_documents_name_the_vendored_versions(document: str) -> None:
    """Wherever a document names a version of a vendored package, it is the vendored one."""
    path = ROOT / document
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for name, package in NAMES.items():
        named = re.findall(rf"{re.escape(name)}(?:\.org|-dist)?[ @`v]+(\d+\.\d+\.\d+)", text)
        assert set(named) <= {VERSIONS[package]}, f"{document} names {name} {named}"
