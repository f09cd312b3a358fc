"""The cases of tests/contract, on a real kube-apiserver."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FEWEST = 150


def test_a_real_api_server_passes_every_case_of_the_contract(real_cluster, tmp_path, capsys):
    environment = {**os.environ, "ONECO_CONTRACT_KUBECONFIG": str(real_cluster.kubeconfig)}
    cache = ["-o", f"cache_dir={tmp_path}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/contract", "-k", "real", "-rfp", *cache],
        cwd=ROOT, env=environment, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    cases = len(re.findall(r"^PASSED .*\[real\]$", done.stdout, re.MULTILINE))
    with capsys.disabled():
        print(f"\ncontract on kube-apiserver: {cases} cases passed")
    assert cases >= FEWEST, done.stdout[-2000:]
