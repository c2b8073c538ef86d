"""What something takes of the processor, whatever else runs on the machine meanwhile."""

import gc
import time
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_more_than(seconds: float) -> Generator[None]:
    """Fail where what is done within takes this thread longer.

    Other threads of the process, and the collector that their garbage calls, are left out.
    """
    collects = gc.isenabled()
    gc.disable()
    began = time.thread_time()
    try:
        yield
    finally:
        took = time.thread_time() - began
        if collects:
            gc.enable()
    assert took < seconds
