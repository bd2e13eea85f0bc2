# Install what is missing, as on Colab. What is there already stays as it is.
import importlib.util
import subprocess
import sys

needed = {}


class NotInstalled(ImportError):
    def _render_traceback_(self):
        return [str(self)]  # the one line that helps


def missing():
    importlib.invalidate_caches()
    found = {name: importlib.util.find_spec(name) for name in needed}
    return [name for name, spec in found.items() if spec is None or not spec.origin]  # a mere folder has no origin


if missing():
    sources = dict.fromkeys(needed[name] for name in missing())
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *sources], capture_output=True, check=False)
    if missing():
        raise NotInstalled(f"not installed: {', '.join(sources)}. From a copy of the repository: pip install PATH")
