"""Tests that train or factorize, and the live chapters, on other makes of CPU than this one: make test-cpus.

    python tests/cpus.py [--only haswell] [--jobs 2] [--tests-only]

Each make is this machine with its newer instructions switched off in NumPy, OpenBLAS, oneDNN and torch, on one or two
threads: sums are then taken in another order. Makes that need what this machine lacks are left out, by name.
Exit code 1: something failed on one of them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

try:
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
except ImportError:  # NumPy 1
    from numpy.core._multiarray_umath import __cpu_dispatch__, __cpu_features__

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("linear", "memorization", "neural", "book/test_ledger.py", "book/test_landscape_rooms.py")
TESTS += ("runner/test_results.py", "experiments/test_streams.py")
WIDE = ("AVX512F", "AVX512CD", "AVX512_SKX", "X86_V4")
AVX2 = ("AVX2", "FMA3", "X86_V3")


@dataclass(frozen=True)
class Make:
    """What the libraries are told, what NumPy may use beyond its baseline, and the features this machine must have."""

    onednn: str
    aten: str
    openblas: str
    threads: int
    numpy: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """The variables that turn a new process into this make."""
        off = [name for name in __cpu_dispatch__ if __cpu_features__[name] and name not in self.numpy]
        threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        return {
            **os.environ,
            "ONEDNN_MAX_CPU_ISA": self.onednn,
            "ATEN_CPU_CAPABILITY": self.aten,
            "OPENBLAS_CORETYPE": self.openblas,
            "NPY_DISABLE_CPU_FEATURES": " ".join(off),
            **dict.fromkeys(threads, str(self.threads)),
        }


MAKES = {
    "nehalem": Make("SSE41", "default", "Nehalem", 1),
    "sandybridge": Make("AVX", "default", "Sandybridge", 2, ("AVX", "F16C"), ("AVX",)),
    "haswell": Make("AVX2", "avx2", "Haswell", 1, AVX2, ("AVX2", "FMA3")),
    "zen": Make("AVX2", "avx2", "Zen", 2, AVX2, ("AVX2", "FMA3")),
    "skylake": Make("AVX512_CORE", "avx512", "SkylakeX", 1, (*AVX2, *WIDE), ("AVX512_SKX",)),
    "cooperlake": Make("AVX512_CORE_BF16", "avx512", "SkylakeX", 2, (*AVX2, *WIDE), ("AVX512_SKX", "AVX512_BF16")),
}


def has(feature: str) -> bool:
    """Whether this machine has a feature, by NumPy's name for it; the rounded products by the kernel's."""
    if feature == "AVX512_BF16":
        info = Path("/proc/cpuinfo")
        return info.exists() and "avx512_bf16" in info.read_text(encoding="utf-8")
    return bool(__cpu_features__.get(feature))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=MAKES, default=list(MAKES))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tests-only", action="store_true", help="leave out the chapters")
    options = parser.parse_args()
    jobs = str(options.jobs)
    tests = [str(ROOT / "tests" / name) for name in TESTS]
    commands = {"tests": [sys.executable, "-m", "pytest", "-q", "-n", jobs, "--dist", "worksteal", *tests]}
    if not options.tests_only:
        commands["chapters"] = [sys.executable, str(ROOT / "tests" / "perturbed.py"), "--runs", "0", "--jobs", jobs]
    failed = []
    for name in options.only:
        make = MAKES[name]
        missing = [feature for feature in make.needs if not has(feature)]
        if missing:
            print(f"{name}: left out, this machine has no {', '.join(missing)}", flush=True)
            continue
        for what, command in commands.items():
            start = time.monotonic()
            code = subprocess.run(command, cwd=ROOT, env=make.environment(), check=False).returncode
            print(
                f"{name}, {what}: {'passed' if not code else 'FAILED'} in {time.monotonic() - start:.0f} s", flush=True
            )
            failed += [f"{name} ({what})"] * bool(code)
    print(f"failed: {', '.join(failed)}" if failed else "every make passed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
