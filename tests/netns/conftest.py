import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from lab import lab, laid, network  # noqa: E402,F401 the fixtures
