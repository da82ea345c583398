"""What backends answer, under each kernel that is supported."""

import pytest

pytest.register_assert_rewrite("preset_lb")

from preset_lb import *  # noqa: E402,F401,F403 its tests
