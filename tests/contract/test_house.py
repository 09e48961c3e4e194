"""The law of the house: who may import whom, how large a room may be, what may not be in it.

The rules are facts about the source, so they are read from the source.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "nativeapi", "orchestrator", "s3store", "tools")
TOP = {*PACKAGES, "tests", "pyproject.toml", "README.md"}
CEILING = 400
FUNCTION_CEILING = 50
MIGRATIONS = ROOT / "orchestrator" / "schema" / "migrations"

# Which packages of ours a package may import, besides itself.
MAY_IMPORT = {
    "gateway": {"s3store"},
    "nativeapi": {"orchestrator"},
    "orchestrator": set(),
    "s3store": set(),
    "tools": set(PACKAGES),
}

# Floors of the orchestrator, highest first: a room imports its own floor and lower ones.
FLOORS = (
    ("__main__", "install", "agent"),
    ("reconcile",),
    ("workflows",),
    ("engine",),
    ("resources",),
    ("driver.fleets",),
    ("schema",),
    ("driver",),
    ("faults", "ids", "logs", "placement", "settings"),
)

# A library and the only places that may import it.
HOMES = {
    "flask": ("gateway/app.py", "gateway/ec2/endpoint.py", "nativeapi/app.py"),
    "lxml": (
        "gateway/s3/protocol/codec.py",
        "nativeapi/envelopes.py",
        "orchestrator/driver/libvirt/xml.py",
    ),
    "urllib3": ("gateway/native.py",),
    "awscrt": ("s3store/checksums.py",),
    "sqlalchemy": ("orchestrator/", "s3store/", "tools/migration.py"),
    "alembic": ("orchestrator/schema/", "tools/migration.py"),
    "libvirt": ("orchestrator/driver/libvirt/",),
    "boto3": ("tools/", "orchestrator/driver/libvirt/bucket.py", "s3store/engines/endpoint.py"),
    "pymysql": (),
    "gunicorn": ("tools/worker.py",),
    "requests": (),
}


def rooms(*folders: str) -> Iterator[Path]:
    """Every Python file in these packages, migrations left out."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if MIGRATIONS not in path.parents:
                yield path


def imports(path: Path) -> set[str]:
    """Full names of all modules a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    """The wire is the wall."""
    others = set(PACKAGES) | {"tests"}
    wrong = {
        f"{path.relative_to(ROOT)} -> {name}"
        for path in rooms(package)
        for name in imports(path)
        if (top := name.split(".")[0]) in others and top not in MAY_IMPORT[package] | {package}
    }
    assert not wrong


def _floor(module: str) -> int:
    """The number of the floor that a module of the orchestrator is on; every room is on one."""
    inner = module.removeprefix("orchestrator.")
    return next(
        number
        for number, floor in enumerate(FLOORS)
        if any(inner == room or inner.startswith(f"{room}.") for room in floor)
    )


def test_no_arrow_points_upwards_in_the_orchestrator() -> None:
    """reconcile, workflows, engine, resources, schema, drivers: in this order."""
    wrong = []
    for path in rooms("orchestrator"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if module == "orchestrator.__init__":
            continue
        here = _floor(module)
        for name in imports(path):
            if name.startswith("orchestrator.") and _floor(name) < here:
                wrong.append(f"{module} -> {name}")
    assert not wrong


def test_drivers_are_known_by_their_ports_alone() -> None:
    """Only the main program chooses a fleet; the rest is handed one."""
    driver = re.compile(r"orchestrator\.driver\.(?!ports\b)")
    initiated = ("orchestrator/driver/", "orchestrator/__main__.py")
    wrong = {
        f"{path.relative_to(ROOT)} -> {name}"
        for path in rooms("orchestrator", "nativeapi")
        for name in imports(path)
        if driver.match(name) and not str(path.relative_to(ROOT)).startswith(initiated)
    }
    assert not wrong


def test_the_engine_knows_no_noun() -> None:
    """It imports the schema of its own journal, and nothing of resources or workflows."""
    allowed = re.compile(
        r"orchestrator\.(engine|faults|driver\.ports|schema\.(jobs|base|session))\b"
    )
    wrong = {
        f"{path.name} -> {name}"
        for path in rooms("orchestrator/engine")
        for name in imports(path)
        if name.startswith("orchestrator.") and not allowed.match(name)
    }
    assert not wrong


def test_there_is_no_circle_of_imports() -> None:
    """Modules can be put in an order in which each imports only earlier ones."""
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in rooms(*PACKAGES)
    }
    arrows: dict[str, set[str]] = defaultdict(set)
    for module, path in modules.items():
        for name in imports(path):
            target = name if name in modules else name.rpartition(".")[0]
            if target in modules and target != module:
                arrows[module].add(target)
    done: set[str] = set()
    for module in modules:
        _visit(module, arrows, done, ())


def _visit(module: str, arrows: dict[str, set[str]], done: set[str], way: tuple[str, ...]) -> None:
    assert module not in way, " -> ".join((*way, module))
    if module in done:
        return
    for target in sorted(arrows[module]):
        _visit(target, arrows, done, (*way, module))
    done.add(module)


@pytest.mark.parametrize("library", sorted(HOMES))
def test_a_library_has_one_home(library: str) -> None:
    """Each dependency is imported where it is at home and nowhere else."""
    strangers = [
        str(path.relative_to(ROOT))
        for path in rooms(*PACKAGES)
        if any(name.split(".")[0] == library for name in imports(path))
        and not str(path.relative_to(ROOT)).startswith(HOMES[library] or ("-",))
    ]
    assert not strangers


def test_no_room_is_too_large() -> None:
    """A file that outgrows the ceiling is two rooms."""
    large = {
        str(path.relative_to(ROOT)): lines
        for path in rooms(*PACKAGES, "tests")
        if (lines := len(path.read_text().splitlines())) > CEILING
    }
    assert not large


def test_no_function_is_too_long() -> None:
    """A function that does not fit on a screen does two things."""
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": length
        for path in rooms(*PACKAGES)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_CEILING
    }
    assert not long


def test_every_public_thing_has_a_docstring() -> None:
    """Modules, public classes and public functions say what they are.

    A command's ``run`` does what its class says.
    """
    bare = [
        f"{path.relative_to(ROOT)}:{name}"
        for path in rooms(*PACKAGES)
        for name in _bare(ast.parse(path.read_text()), path.stem)
        if not (name == "run" and "commands" in path.parts)
    ]
    assert not bare


def _bare(node: ast.AST, name: str) -> Iterator[str]:
    """Names of public things without a docstring, here and below; functions hide what they hold."""
    if name.startswith("_") and name != "__init__":
        return
    body = getattr(node, "body", [])
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and body:
        if not ast.get_docstring(node) and name != "__init__":
            yield name
        if not isinstance(node, ast.FunctionDef):
            for child in body:
                if isinstance(child, ast.ClassDef | ast.FunctionDef):
                    yield from _bare(child, child.name)


def test_nothing_is_left_unmade() -> None:
    """No marker of unfinished work, no skipped test."""
    marks = re.compile(
        "TO" + "DO|FIX" + "ME|XX" + "X|raise Not" + "ImplementedError"
        r"|mark\.skip|mark\.xfail|import" + "orskip"
    )
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in rooms(*PACKAGES, "tests")
        for line in path.read_text().splitlines()
        if marks.search(line)
    ]
    assert not found


def test_the_top_level_is_as_the_owner_fixed_it() -> None:
    """No other folder and no other file but dot-files, a licence and a lock file."""
    extra = {
        path.name
        for path in ROOT.iterdir()
        if path.name not in TOP
        and not path.name.startswith((".", "LICENSE", "NOTICE"))
        and not path.name.endswith((".lock", ".egg-info"))
        and path.name not in {"build", "dist"}
    }
    assert not extra
