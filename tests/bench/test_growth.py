"""The measure of growth: every device is heard, and a city costs more than a village."""

from bench.growth import measured


def test_every_device_is_heard_and_timed() -> None:
    # So many that what the process takes and gives back beside them does not count.
    found = measured(30_000, 1_000)
    assert found.devices == 30_000
    # Two quantities of each device, and of each message of the timed part.
    assert found.stored == 2 * (30_000 + 1_000)
    assert found.cpu_us > 0
    assert found.bytes_a_device > 0
