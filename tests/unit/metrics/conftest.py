"""Property tests here are bounded in number, not in time: the machine may be busy."""

from hypothesis import settings

settings.register_profile("metrics", deadline=None, max_examples=60)
settings.load_profile("metrics")
