"""What goes wrong with a consumer's reads, drawn by hypothesis and shown as the call that it is."""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["Disturbance", "disturbances"]

_READS = ("GetRecords", "GetShardIterator", "ListShards")


class Disturbance:
    """A call of a method of `engine.faults`.

    Examples:
        >>> Disturbance("throttle", op="GetRecords", times=2)
        throttle(op='GetRecords', times=2)
    """

    def __init__(self, name: str, *arguments: object, **options: object) -> None:
        """Say what, where, and how often."""
        self._name = name
        self._arguments = arguments
        self._options = options

    def happen(self, faults: object) -> None:
        """Let it happen from now on."""
        getattr(faults, self._name)(*self._arguments, **self._options)

    def __repr__(self) -> str:
        """The call."""
        options = [f"{name}={value!r}" for name, value in self._options.items()]
        return f"{self._name}({', '.join([*map(repr, self._arguments), *options])})"


def disturbances() -> st.SearchStrategy[Disturbance]:
    """Disturbances of the operations that consumers call."""
    reads, times = st.sampled_from(_READS), st.integers(1, 3)
    return st.one_of(
        st.builds(Disturbance, st.just("throttle"), op=reads, times=times),
        st.builds(Disturbance, st.just("internal_failure"), op=reads, times=times),
        st.builds(Disturbance, st.just("expire_iterators")),
        st.builds(Disturbance, st.just("empty_pages"), times),
        st.builds(Disturbance, st.just("duplicate_delivery"), rate=st.just(0.5)),
    )
