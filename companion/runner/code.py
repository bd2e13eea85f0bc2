"""A hash of the code behind a number: what can change the number counts, what cannot does not.

It covers the functions, classes and constants of this package that an experiment's `run` reaches, each in a normal form
that holds no comment, docstring, annotation, layout, module name or alias; of an error only its type; and of a checked
argument (`integer("n", n, low=1)`) only the argument. The syntax tree is walked here rather than by `ast.dump`, whose
text differs from one Python to the next.
"""

import ast
import functools
import hashlib
import importlib.util
from pathlib import Path
from typing import Any

#: the module whose functions, called with a name first, hand the value on or refuse it
CHECKS = "_validate"
#: what runs an experiment and keeps its rows
PLUMBING = ("companion.runner.", "companion._files")
_SKIPPED = {"ctx", "kind", "type_comment", "annotation", "returns", "type_params"}
_Definition = tuple[str, str]  # module, name; "" for all of the module


def code_hash(module: str, name: str = "run") -> str:
    """Hash of the code that `module`.`name` reaches, 16 hexadecimal digits; the same on every Python from 3.11."""
    found: dict[_Definition, str] = {}
    waiting = [(module, name)]
    while waiting:
        wanted = waiting.pop()
        if wanted not in found:
            found[wanted], used = _definition(*wanted)
            waiting += used
    if not found[module, name]:
        raise ValueError(f"module {module} defines no {name}")
    return hashlib.sha256("\n".join(sorted(filter(None, found.values()))).encode()).hexdigest()[:16]


def source(module: str) -> Path | None:
    """The file of a module of this package, None for any other name."""
    path = Path(__file__).parents[1].joinpath(*module.split(".")[1:])
    files = (path.with_suffix(".py"), path / "__init__.py") if module.partition(".")[0] == "companion" else ()
    return next((file for file in files if file.is_file()), None)


@functools.cache
def _module(module: str) -> tuple[dict[str, list[ast.stmt]], dict[str, list[_Definition]]]:
    """The statements that bind each name at the top of a module ("": that bind none), and its imports."""
    file = source(module)
    assert file is not None, module
    tree = ast.parse(file.read_text(encoding="utf-8"))
    bound: dict[str, list[ast.stmt]] = {"": []}
    for node in _statements(tree.body):
        names = [""]
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            inner = [n for target in targets for n in ast.walk(target)]
            names = [getattr(n, "id", "") for n in inner if isinstance(getattr(n, "ctx", None), ast.Store)]
        for name in names:
            bound.setdefault(name, []).append(node)
    return bound, _imports(tree, module if file.name == "__init__.py" else module.rpartition(".")[0])


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements of a module, those under `if` and `try` too."""
    found: list[ast.stmt] = []
    for node in body:
        if isinstance(node, (ast.If, ast.Try)):
            handlers = [s for h in getattr(node, "handlers", []) for s in h.body]
            found += _statements([*node.body, *handlers, *node.orelse])
        else:
            found.append(node)
    return found


def _imports(tree: ast.Module, package: str) -> dict[str, list[_Definition]]:
    """What each imported name stands for: (module, name), with "" for the module itself."""
    found: dict[str, list[_Definition]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for a in node.names:
                found.setdefault(a.asname or a.name.partition(".")[0], []).append((a.name, ""))
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            for a in node.names:
                inner = f"{base}.{a.name}"
                target = (inner, "") if source(inner) else (base, a.name)
                if target not in found.setdefault(a.asname or a.name, []):
                    found[a.asname or a.name].append(target)
    return found


@functools.cache
def _definition(module: str, name: str) -> tuple[str, list[_Definition]]:
    """The normal form of a definition, "" where it is not ours to count, and what it uses."""
    if source(module) is None or module.startswith(PLUMBING):
        return "", []
    bound, imported = _module(module)
    if not name:
        return "", [(module, n) for n in bound if n]
    if name not in bound:
        return "", imported.get(name, [])
    form = _Form(module, set(bound), imported)
    text = form.body([*bound[name], *bound[""]])
    return f"{name}: {text}" if text else "", form.used


class _Form:
    """The normal form of statements, and which definitions they use."""

    def __init__(self, module: str, bound: set[str], imported: dict[str, list[_Definition]]) -> None:
        self.module, self.bound, self.imported = module, bound, imported
        self.used: list[_Definition] = []

    def body(self, nodes: list[ast.stmt]) -> str:
        return ";".join(filter(None, map(self.statement, nodes)))

    def statement(self, node: ast.stmt) -> str:
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Assert, ast.Pass)) or _guards(node):
            return ""
        if isinstance(node, ast.Raise):  # its type may steer what catches it, its words may not
            kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            return f"raise {self.text(kind)}"
        if isinstance(node, ast.Expr):
            value = _checked(node.value, self)
            if isinstance(value, ast.Call) and ast.unparse(value.func) == "vars(self).update":
                given = [(k.arg, self.text(k.value)) for k in value.keywords]
                return ";".join(f"self.{name}={text}" for name, text in given if text != f"self.{name}")
            return "" if isinstance(value, (ast.Constant, ast.Name, ast.Attribute)) else self.text(value)
        if isinstance(node, ast.AnnAssign):
            return self.text(node.target) + (f"={self.text(node.value)}" if node.value else "")
        if isinstance(node, ast.FunctionDef) and node.name == "__post_init__" and not self.body(node.body):
            return ""
        if isinstance(node, ast.Assign):
            text, targets = self.text(node.value), [self.text(target) for target in node.targets]
            return "" if targets == [text] else f"{'='.join(targets)}={text}"
        return self.text(node)

    def text(self, node: Any) -> str:
        """Any value of a syntax tree."""
        if isinstance(node, list):
            if node and isinstance(node[0], ast.stmt):
                return self.body(node)
            return ",".join(self.text(n) for n in node)
        if not isinstance(node, ast.AST):
            return repr(node)
        if isinstance(node, ast.Name):
            return self.name(self.targets(node)) or node.id
        if isinstance(node, ast.Attribute):
            if targets := self.targets(node):
                return self.name(targets)
            return f"{self.text(node.value)}.{node.attr}"
        if isinstance(node, ast.Call) and (value := _checked(node, self)) is not node:
            return self.text(value)
        if isinstance(node, ast.JoinedStr):
            return f"f({'+'.join(self.text(v) for v in node.values if getattr(v, 'value', 1) != '')})"
        fields = [(f, v) for f, v in ast.iter_fields(node) if f not in _SKIPPED and v is not None and v != []]
        return f"{type(node).__name__}({' '.join(f'{f}:{self.text(v)}' for f, v in fields)})"

    def targets(self, node: ast.expr) -> list[_Definition]:
        """What a name, or an attribute of an imported module of ours, stands for; [] for anything local."""
        if isinstance(node, ast.Name):
            return [(self.module, node.id)] if node.id in self.bound else self.imported.get(node.id, [])
        if isinstance(node, ast.Attribute):
            return [(m, node.attr) for m, n in self.targets(node.value) if not n and source(m)]
        return []

    def name(self, targets: list[_Definition]) -> str:
        """The name of what is meant, and a note that it is used; a module of ours by itself means all of it."""
        self.used += [target for target in targets if source(target[0])]
        return "|".join(n or m.rpartition(".")[2] if source(m) else f"{m}.{n}".rstrip(".") for m, n in targets)


def _guards(node: ast.stmt) -> bool:
    """Whether a statement can do nothing but refuse a bad argument."""
    if not isinstance(node, ast.If) or node.orelse or any(isinstance(n, ast.NamedExpr) for n in ast.walk(node.test)):
        return False
    *words, last = node.body
    refusal = last.exc.func if isinstance(last, ast.Raise) and isinstance(last.exc, ast.Call) else None
    return getattr(refusal, "id", "") in ("ValueError", "TypeError") and all(isinstance(s, ast.Assign) for s in words)


def _checked(node: ast.expr, form: _Form) -> ast.expr:
    """The argument of a call that checks it and hands it on, `node` itself for anything else."""
    if isinstance(node, ast.Call) and len(node.args) > 1:
        named = isinstance(node.args[0], (ast.Constant, ast.JoinedStr))
        modules = {m.rpartition(".")[2] for m, _ in form.targets(node.func)}
        if named and modules == {CHECKS}:
            return node.args[1]
    return node
