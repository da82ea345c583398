from lab import lab, network  # noqa: F401 the fixtures
