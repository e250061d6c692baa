"""Builds the offline verifier: one HTML file out of the modules, the style sheet and the vendored libraries of its folder.

`python -m deedbox_checkout.verify_page` writes `sync/deedbox_verify/page/verify.html`. The same sources give the same bytes.
Nothing is minified: each module stands in the file as it stands in the folder, in a function of its own, but for its `import`
and `export` lines. The page's Content-Security-Policy names its one script and its one style sheet by their SHA-256, so that
nothing else in it can ever run.
"""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from pathlib import Path, PurePosixPath

FOLDER = Path(__file__).resolve().parents[2] / "sync" / "deedbox_verify" / "page"
PAGE = FOLDER / "verify.html"
_START = "source/screen.js"
_VENDORED = re.compile(r"@noble/([a-z-]+)/(.+)")
_IMPORT = re.compile(
    r"^import (?:\* as (?P<whole>\w+)|\{(?P<names>[^}]*)\}) from ['\"](?P<path>[^'\"]+)['\"];\n", re.MULTILINE
)
_EXPORT = re.compile(r"^export (?=(?:async )?function\*? (\w+)|class (\w+)|const (\w+))", re.MULTILINE)
_EXPORT_LIST = re.compile(r"^export \{(?P<names>[^}]*)\}(?: from ['\"](?P<path>[^'\"]+)['\"])?;\n", re.MULTILINE)


def build(folder: Path = FOLDER) -> str:
    """The page. ValueError for a module in a form that this does not know."""
    order: list[str] = []
    _collect(folder, _START, order, [])
    head = ['"use strict";', _licences(folder), "const modules = {};"]
    script = "\n".join([*head, *(_module(folder, path) for path in order)]) + "\n"
    style = (folder / "source" / "page.css").read_text("utf-8")
    if "</script" in script.lower() or "</style" in style.lower() or "<!--" in script:
        raise ValueError("the script or the style would end before its end")
    policy = f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"
    page = (folder / "source" / "page.html").read_text("utf-8")
    return page.replace("{{policy}}", policy).replace("{{style}}", style).replace("{{script}}", script)


def _licences(folder: Path) -> str:
    """Whoever passes the page on passes on the libraries' licences, as they ask."""
    found = {path.parent.name: path.read_text("utf-8").strip() for path in sorted(folder.glob("vendor/*/LICENSE"))}
    return "\n".join(f"/* {name}:\n\n{text}\n*/" for name, text in found.items())


def _collect(folder: Path, path: str, order: list[str], above: list[str]) -> None:
    """Puts a module after all that it imports."""
    if path in order:
        return
    if path in above:
        raise ValueError(f"{path} imports itself by way of {above[-1]}")
    for imported in _imports(path, (folder / path).read_text("utf-8")):
        _collect(folder, imported, order, [*above, path])
    order.append(path)


def _imports(path: str, text: str) -> list[str]:
    found = [match["path"] for match in _IMPORT.finditer(text)]
    found += [match["path"] for match in _EXPORT_LIST.finditer(text) if match["path"]]
    return [_resolved(path, one) for one in found]


def _resolved(path: str, imported: str) -> str:
    if vendored := _VENDORED.fullmatch(imported):
        return f"vendor/noble-{vendored[1]}/{vendored[2]}"
    parts = list(PurePosixPath(path).parent.parts)
    for part in PurePosixPath(imported).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _module(folder: Path, path: str) -> str:
    text = (folder / path).read_text("utf-8")
    exported: list[str] = []

    def imported(match: re.Match[str]) -> str:
        source = f'modules["{_resolved(path, match["path"])}"]'
        if match["whole"]:
            return f"const {match['whole']} = {source};\n"
        names = re.sub(r"(\w+) as (\w+)", r"\1: \2", " ".join(match["names"].split())).rstrip(", ")
        return f"const {{ {names} }} = {source};\n" if names else ""

    def listed(match: re.Match[str]) -> str:
        source = f'modules["{_resolved(path, match["path"])}"].' if match["path"] else ""
        for name in filter(None, (one.strip() for one in match["names"].split(","))):
            own, _, other = name.partition(" as ")
            exported.append(f"{other or own}: {source}{own}" if source or other else own)
        return ""

    text = _IMPORT.sub(imported, text)
    text = _EXPORT_LIST.sub(listed, text)
    exported += [next(filter(None, match.groups())) for match in _EXPORT.finditer(text)]
    text = _EXPORT.sub("", text)
    if re.search(r"^(?:import|export)\b", text, re.MULTILINE):
        raise ValueError(f"{path} has an import or export in a form that is not known here")
    return (
        f'// ----- {path}\nmodules["{path}"] = (() => {{\n{text}\nreturn {{ {", ".join(sorted(exported))} }};\n}})();\n'
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode("ascii")


if __name__ == "__main__":
    PAGE.write_text(build(), "utf-8", newline="\n")
