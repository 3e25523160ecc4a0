"""What rendered pages link to: style sheets and icons from the npm registry, fetched once into a folder."""

import re
import subprocess
import tarfile
from pathlib import Path
from random import Random

from model.errors import DownloadError, InputError
from model.nano.bank_build import icon_sources
from model.nano.icons import concepts, set_stems
from model.nano.split import Split, icon_split


def fetch_package(spec: str, folder: Path) -> Path:
    """Unpack the npm package ``spec`` (``name@version``) below ``folder`` unless it is there; return its root.

    Raises `DownloadError` when the registry does not give it.
    """
    root = folder / re.sub(r"[^\w.-]+", "-", spec).strip("-")
    if (root / "package" / "package.json").is_file():
        return root / "package"
    root.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", "--silent", spec]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    archives = list(root.glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        why = (done.stderr or done.stdout).strip().splitlines()
        raise DownloadError(
            f"cannot fetch {spec} from the npm registry",
            why=why[-1] if why else f"exit code {done.returncode}",
            remedy="check the network",
        )
    with tarfile.open(archives[0]) as packed:
        packed.extractall(root, filter="data")
    archives[0].unlink()
    return root / "package"


class Icons:
    """The icon sets of one side of the split, as SVG text by concept."""

    def __init__(self, split: Split, folder: Path) -> None:
        self._sets: dict[str, dict[str, list[Path]]] = {}
        for source in icon_sources():
            if icon_split(source.name) != split:
                continue
            root = fetch_package(source.package, folder)
            for style, pattern in source.styles.items():
                files = _index(root, pattern)
                found = {
                    name: paths
                    for name, concept in concepts().items()
                    if (paths := [files[s] for s in set_stems(concept, source.name) if s in files][:2])
                }
                if len(found) > 40:
                    self._sets[f"{source.name}/{style}"] = found
        if not self._sets:
            raise InputError(f"no icon set stands on the {split} side", remedy="see model/nano/split.py")
        self._text: dict[Path, str] = {}

    def choose_set(self, rng: Random) -> str:
        """Choose a set and style for a page."""
        return rng.choice(sorted(self._sets))

    def names(self, icon_set: str) -> list[str]:
        """List the concepts that a set can draw."""
        return sorted(self._sets[icon_set])

    def svg(self, icon_set: str, concept: str, rng: Random) -> str | None:
        """Return an inline SVG that takes its size and colour from the text around it, or ``None``."""
        paths = self._sets[icon_set].get(concept)
        if not paths:
            return None
        path = rng.choice(paths)
        if path not in self._text:
            self._text[path] = _clean(path.read_text(encoding="utf-8"))
        return self._text[path].replace("<svg ", f'<svg data-i="{concept}" ', 1)


def _index(root: Path, pattern: str) -> dict[str, Path]:
    head, _, tail = Path(pattern).name.partition("{}")
    files: dict[str, Path] = {}
    for path in sorted(root.glob(pattern.replace("{}", "*"))):
        stem = path.name[len(head) : len(path.name) - len(tail)]
        files.setdefault(stem.replace("_", "-").replace("--", "-").removeprefix("ic-fluent-"), path)
    return files


def _clean(text: str) -> str:
    """Keep the drawing, give it a class, and let it inherit colour and size."""
    text = re.sub(r"<\?xml.*?\?>|<!--.*?-->|<title>.*?</title>|<!DOCTYPE.*?>", "", text, flags=re.DOTALL).strip()
    head, _, body = text.partition(">")
    attributes = dict(re.findall(r'([\w:-]+)="([^"]*)"', head))
    if "viewBox" not in attributes:
        attributes["viewBox"] = f"0 0 {attributes.get('width', '24')} {attributes.get('height', '24')}"
    for name in ("class", "width", "height", "style", "id"):
        attributes.pop(name, None)
    attributes["class"] = "dh-i"
    body = re.sub(r'(fill|stroke)="#(?:000|000000|212121|1C1C1C)"', r'\1="currentColor"', body)
    # Ionicons colours its strokes through these two classes, which its component's style sheet defines.
    body = body.replace(
        'class="ionicon-fill-none ionicon-stroke-width"', 'fill="none" stroke-width="32" stroke="currentColor"'
    )
    body = body.replace('class="ionicon-fill-none"', 'fill="none" stroke="currentColor"')
    body = body.replace('class="ionicon-stroke-width"', 'stroke-width="32" stroke="currentColor"')
    attributes.setdefault("fill", "currentColor")
    drawn = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<svg {drawn}>{body}"
