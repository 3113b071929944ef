"""The layout of the repository: thin pages, one importer of Streamlit, and no paths of one machine."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "pages").glob("*.py"))
PACKAGE = sorted((ROOT / "segdemo").rglob("*.py"))
MAX_PAGE_LINES = 120
# A test says what must not be there without being it.
MACHINE_PATH = re.compile(rb"(?<![\w.])/(?:home|Users|root|work|mnt)/\w|[A-Z]:\\Users\\|/shared/")


def imported(path: Path) -> set[str]:
    """Modules that a file imports, `from a import b` as a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_pages_are_thin(page: Path) -> None:
    ours = {name for name in imported(page) if within(name, "segdemo")}
    allowed = ("segdemo.ui", "segdemo.types", "segdemo.text")
    assert not [name for name in ours if not any(within(name, a) for a in allowed)], f"{page.name} reaches past segdemo.ui"
    assert len(page.read_text(encoding="utf-8").splitlines()) <= MAX_PAGE_LINES


@pytest.mark.parametrize("module", PACKAGE, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_ui_imports_streamlit(module: Path) -> None:
    if "ui" not in module.relative_to(ROOT).parts:
        assert not [name for name in imported(module) if within(name, "streamlit")]


@pytest.mark.parametrize("module", PACKAGE, ids=lambda p: str(p.relative_to(ROOT)))
def test_all_names_what_exists(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "every module says what it is"
    exported: list[str] = []
    defined: set[str] = set()
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                exported = ast.literal_eval(value)
            case ast.Assign(targets=targets):
                defined |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                defined.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                defined.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                defined |= {alias.asname or alias.name for alias in names}
    assert set(exported) <= defined
    assert len(exported) == len(set(exported))


def test_no_file_holds_a_path_of_one_machine() -> None:
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    this = Path(__file__).resolve()
    files = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    texts = [
        f for f in files if f.suffix not in (".safetensors", ".png", ".jpg", ".webp") and f.is_file() and f.resolve() != this
    ]
    assert not [f"{f.relative_to(ROOT)}: {m.group()!r}" for f in texts if (m := MACHINE_PATH.search(f.read_bytes()))]
