"""The measure of growth: every device is heard, and a city costs more than a village."""

from bench.growth_process import devices_and_cost


def test_every_device_is_heard_and_timed() -> None:
    found = devices_and_cost(2_000, 1_000)
    assert found.devices == 2_000
    # Two quantities of each device, and of each message of the timed part.
    assert found.stored == 2 * (2_000 + 1_000)
    assert found.cpu_us > 0
    assert found.bytes_a_device >= 0
