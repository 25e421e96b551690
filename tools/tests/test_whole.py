"""What only the whole shows, as tests: the closing line counts it, too."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(
            "test-hooks",
            id="the git hooks find nothing",
            marks=pytest.mark.skipif(
                not (ROOT / ".git").exists(), reason="no git repository"
            ),
        ),
        pytest.param("test-packages", id="our addons install and load as wheels"),
    ],
)
def test_whole(command):
    done = subprocess.run(
        [ROOT / "dev", command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
