from tests.channels.fixtures import adas_bird, loft, pigeon

__all__ = ["adas_bird", "loft", "pigeon"]
