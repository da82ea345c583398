"""Presets that want tracepoints alone, on this machine's kernel."""

import pytest

pytest.register_assert_rewrite("preset_network")

from preset_network import *  # noqa: E402,F401,F403 its tests and fixtures
